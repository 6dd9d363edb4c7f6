"""The stage graph of an experiment: which results there are, what is in the key of each, and what it is made of.

A bound experiment comes in, nodes in an order in which they can be computed go out. Imports nothing heavy, so that
`wmframe plan` answers at once. Called by the runner and by `wmframe plan`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from wmframe.config.bind import Component
from wmframe.errors import UserError
from wmframe.pipeline.node import FIRST_DRIVER, Node
from wmframe.pipeline.pinned import PINNED

TARGET: Final = "wmframe.pipeline.experiment.Experiment"

_DRIVING: Final = "wmframe.collect.driving.Driving"

_SEARCHED: Final = ("generations", "sigma", "updates", "learning_rate")
"""What `later_rounds` may say of a C that continues; each kind of search takes its own."""

_DEALT: Final = ("memory_steps", "climbs", *_SEARCHED)

Config = Mapping[str, object]


def graph(experiment: Component) -> list[Node]:
    """Return every node of an experiment once, parents before children; the last one is its score."""
    rounds = experiment.arguments["rounds"]
    assert isinstance(rounds, int)  # noqa: S101  # binding has seen to it
    nodes: dict[str, Node] = {}
    agent = _trained(experiment, rounds, nodes) if rounds else _gone_on(experiment, nodes)
    baseline = _add(nodes, Node("baseline", _pick(experiment, "env", "evaluate"), {}))
    config = _pick(experiment, "env", "evaluate", "world")
    _add(nodes, Node("evaluate", config, {"agent": agent, "baseline": baseline}))
    return list(nodes.values())


def _trained(experiment: Component, rounds: int, nodes: dict[str, Node]) -> Node:
    """Add what an agent takes that is trained in rounds, and return it."""
    if rounds > 1:
        _check_refits(experiment.part("later_rounds").arguments)
    first = _first_driver(experiment)
    drivers: dict[int, Mapping[str, Node]] = {}
    for number in range(1, rounds + 1):
        drivers[number] = _round(experiment, number, drivers.get(number - 1, first), nodes)
    if experiment.arguments["finish"] is not None:
        awake = _finish(experiment, f"{drivers[rounds]['controller'].name}_awake", drivers[rounds])
        drivers[rounds] = {**drivers[rounds], "controller": _add(nodes, awake)}
    return _add(nodes, _agent(experiment, drivers, nodes))


def _gone_on(experiment: Component, nodes: dict[str, Node]) -> Node:
    """Add the finish of an agent that is there already, no round before it, and return what becomes of the agent.

    Raises UserError if there is none, or nothing for it to do.
    """
    pinned = experiment.arguments["first_driver"]
    if pinned is None:
        raise UserError(
            "rounds=0 trains no V, M or C, so it needs a finished agent to go on from: add "
            "first_driver=zoo/car_racing_dream, or a run of yours. Or use rounds=1."
        )
    if experiment.arguments["finish"] is None:
        raise UserError(
            f"rounds=0 and finish=null leave {pinned} nothing to do. Add finish=awake, or score it as it is: "
            f"wmframe evaluate {str(pinned).partition('@')[0]}"
        )
    first = {"agent": _pinned(experiment)}
    awake = _add(nodes, _finish(experiment, "controller.0_awake", first))
    return _add(nodes, Node("agent", {"chosen": "last"}, {**first, "controller.0": awake}))


def root_of(experiment: Component) -> Path:
    """Return where an experiment's artefacts and runs lie."""
    return Path(str(experiment.part("paths").arguments["root"]))


def _check_refits(later: Config) -> None:
    """Raise UserError where something is told to continue on features that have got a new meaning."""
    if later["vision"] == "refit" and later["memory"] == "continue":
        raise UserError(
            "later_rounds.vision=refit gives latents a new meaning, which later_rounds.memory=continue cannot "
            "follow. Use later_rounds.memory=refit, or later_rounds.vision=keep."
        )
    if later["refit_rounds"] is not None and later["memory"] == "continue":
        raise UserError(
            "later_rounds.refit_rounds says when, but nothing is to be fitted again. Use later_rounds.memory=refit, "
            "and later_rounds.vision=refit too if V is to be."
        )


def _first_driver(experiment: Component) -> dict[str, Node]:
    """Return the agent that drives in round 1, if there is one.

    Raises UserError if no source would let it, or if there is none and a source waits for it.
    """
    pinned, sources = experiment.arguments["first_driver"], experiment.part("collect").arguments["first"]
    assert isinstance(sources, Mapping)  # noqa: S101  # binding has seen to it
    driven = [name for name, source in sources.items() if source.target == _DRIVING]
    if pinned is None:
        if driven:
            raise UserError(
                f"collect.first.{driven[0]} lets a driver drive, and in round 1 there is none yet. Name one: "
                "first_driver=zoo/car_racing_dream, or a run of yours."
            )
        return {}
    if not driven and all(source.target.startswith("wmframe.") for source in sources.values()):
        raise UserError(
            f"first_driver={pinned}: no source of collect.first lets a driver drive. Use collect=driven, or "
            "first_driver=null."
        )
    return {"agent": _pinned(experiment)}


def _pinned(experiment: Component) -> Node:
    """Return the node of the agent that a pinned name stands for; its own code came with the experiment."""
    pinned = experiment.arguments["first_driver"]
    match = PINNED.fullmatch(str(pinned))
    if match is None:
        raise UserError(f"first_driver={pinned}: nobody has looked up which agent that is (name@key)")
    return Node(FIRST_DRIVER, {FIRST_DRIVER: Component("", {}, experiment.code)}, {}, published=match["key"])


def _later(experiment: Component, number: int) -> Config:
    """Return what `later_rounds` says of this round, and `last_round` if it is that; nothing of the first."""
    if number == 1:
        return {}
    later = experiment.part("later_rounds").arguments
    later = {**later, **{name: _dealt(later[name], number) for name in _DEALT}}
    if number == experiment.arguments["rounds"] and experiment.arguments["last_round"] is not None:
        later |= {name: value for name, value in experiment.part("last_round").arguments.items() if value is not None}
    refits = later["refit_rounds"]
    if isinstance(refits, list) and number not in refits:
        later |= {"vision": "keep", "memory": "continue"}
    if later["memory"] == "refit":
        later |= {"controller": "restart"}
    return later


def _dealt(setting: object, number: int) -> object:
    return setting[min(number - 2, len(setting) - 1)] if isinstance(setting, list) else setting


def _pick(experiment: Component, *names: str) -> dict[str, object]:
    return {name: experiment.arguments[name] for name in names}


def _fitted(experiment: Component, name: str) -> dict[str, object]:
    """Return what stands in the key of a network's fit: precision is all of the machine that can change it."""
    return {**_pick(experiment, name, "seed"), "precision": experiment.part("trainer").arguments["precision"]}


def _with_argument(component: Component, argument: str, value: object) -> Component:
    """Return a component with one argument replaced, if there is a value and it takes such an argument."""
    if value is None or argument not in component.arguments:
        return component
    return component.with_arguments(**{argument: value})


def _round(experiment: Component, number: int, last: Mapping[str, Node], nodes: dict[str, Node]) -> dict[str, Node]:
    """Add a round's nodes; return the newest of each stage."""
    later = _later(experiment, number)
    collected = {f"collect.{n}": nodes[f"collect.{n}"] for n in range(1, number)}
    driver = {name: last[name] for name in ("agent", "vision", "memory", "controller") if name in last}
    sources = experiment.part("collect")
    unplayed = "later" if number == 1 else "first"
    config = _pick(experiment, "env", "seed") | {
        "collect": sources.with_arguments(**{unplayed: {}}),
        "round": number,
    }
    if driver:
        config |= _pick(experiment, "world")
    collected[f"collect.{number}"] = _add(nodes, Node(f"collect.{number}", config, driver))

    vision = last.get("vision")
    if vision is None or later["vision"] == "refit":
        shared = {"later_share": later["later_share"]} if later else {}
        vision = _add(nodes, Node(f"vision.{number}", {**_fitted(experiment, "vision"), **shared}, collected))
    vision_round = vision.name.split(".")[1]
    latents = {}
    for n in range(1, number + 1):
        name = f"latents.{vision_round}_{n}"
        parents = {"vision": vision, "collect": collected[f"collect.{n}"]}
        latents[f"latents.{n}"] = nodes.get(name) or _add(nodes, Node(name, {}, parents))

    share = {name: later[name] for name in ("later_share", "recency")} if later else {"later_share": 0.0}
    memory = _add(nodes, _memory(experiment, number, latents, later, last, share))
    controller = _add(
        nodes, _controller(experiment, number, {"vision": vision, "memory": memory}, latents, later, last, share)
    )
    return {"vision": vision, "memory": memory, "controller": controller}


def _agent(experiment: Component, drivers: Mapping[int, Mapping[str, Node]], nodes: dict[str, Node]) -> Node:
    """Return the agent, made of the last round's V, M and C or of all rounds', and of their trials awake (`select`)."""
    later = experiment.part("later_rounds").arguments
    several = len(drivers) > 1
    chosen = later["chosen"] if several else "last"
    eligible = drivers if chosen == "awake" else {max(drivers): drivers[max(drivers)]}
    candidates = {f"collect.{number}": nodes[f"collect.{number}"] for number in drivers}
    candidates |= {f"{name}.{n}": node for n, driver in eligible.items() for name, node in driver.items()}
    if several and (later["trials"] or chosen == "awake"):
        config = _pick(experiment, "env", "world", "seed") | {"episodes": later["select_episodes"]}
        trials = [_add(nodes, Node(f"select.{n}", config, driver)) for n, driver in drivers.items()]
        candidates |= {trial.name: trial for trial in trials}
    return Node("agent", {"chosen": chosen}, candidates)


def _memory(
    experiment: Component,
    number: int,
    latents: Mapping[str, Node],
    later: Config,
    last: Mapping[str, Node],
    share: Config,
) -> Node:
    memory, parents = experiment.part("memory"), dict(latents)
    if later.get("memory") == "continue":
        memory = _with_argument(memory, "steps", later["memory_steps"])
        parents["memory"] = last["memory"]
    return Node(f"memory.{number}", {**_fitted(experiment, "memory"), "memory": memory, **share}, parents)


def _controller(
    experiment: Component,
    number: int,
    models: Mapping[str, Node],
    latents: Mapping[str, Node],
    later: Config,
    last: Mapping[str, Node],
    share: Config,
) -> Node:
    search, parents = _with_argument(experiment.part("search"), "climbs", later.get("climbs")), {**models, **latents}
    if later.get("controller") == "continue":
        for name in _SEARCHED:
            search = _with_argument(search, name, later[name])
        parents["controller"] = last["controller"]
    config = {**_pick(experiment, "controller", "world", "seed"), "search": search, **share}
    if later.get("start_pay") is not None:
        config |= {"start_pay": later["start_pay"]}
    if experiment.part("world").target.endswith(".RealitySettings"):
        config |= _pick(experiment, "env")
    return Node(f"controller.{number}", config, parents)


def _finish(experiment: Component, name: str, driver: Mapping[str, Node]) -> Node:
    """Return a driver's C, gone on awake. The driver is the last round's V, M and C, or a whole agent."""
    finish = experiment.part("finish")
    config = {**_pick(experiment, "controller", "env", "seed"), **finish.arguments}
    return Node(name, config, driver)


def _add(nodes: dict[str, Node], node: Node) -> Node:
    nodes[node.name] = node
    return node
