"""How much work a stage is, read off its config: what it counts, times what each took on one machine.

A node comes in; a `Work` goes out, or an error where a part says nothing that is known here. The seconds are rough:
one run of `preset=quick` on CarRacing, four frames a step, on a virtual machine of two cores (AMD EPYC, PyTorch 2.13);
dreams are those of docs/performance.md. They promise nothing of another machine or environment: who uses them
(`outlook`) scales them by what this very run's stages took, and keeps only how stages of different kinds and sizes
relate. Imports nothing heavy.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from wmframe.engine.config.bind import Component
from wmframe.engine.graph.node import Node
from wmframe.engine.graph.work import Work

_STEP: Final = 1.1e-3
"""Seconds for a step of the environment, and a policy that costs next to nothing."""

_DRIVEN_STEP: Final = 1.45e-3
"""The same where V, M and C act."""

_SCORED_STEP: Final = 1.8e-3
"""The same where an agent is scored: in double precision, its frames spot-checked."""

_SEEN_FRAME: Final = 0.88e-3
"""For V's fit, a frame in a batch; V is `_WIDTH` wide, and its products grow with the square of that."""

_ENCODED_FRAME: Final = 0.12e-3
"""For V to encode a frame, as wide."""

_SEQUENCE_STEP: Final = 30e-6
"""For M's fit, a step of a window in a batch; M has `_HIDDEN` hidden units."""

_FIT_STEP: Final = 8e-3
"""For any step of a fit, however small its batch."""

_DREAMT_STEP: Final = 5.2e-6
"""For a step of one dream, many side by side."""

_DREAM_CALLS: Final = 1.2e-3
"""For a step of all dreams, however few."""

_CLIMBED_STEP: Final = 30e-6
"""For a step of one dream that a gradient is taken through."""

_WIDTH: Final = 16.0
_HIDDEN: Final = 256.0

_BEGIN: Final = 0.5
"""For any stage to begin and to be published."""


def collect(node: Node) -> Work:
    """Count the steps of a collection."""
    driven = bool(node.parents)
    return _work("driven collect" if driven else "collect", _recorded(node) * (_DRIVEN_STEP if driven else _STEP), True)


def vision(node: Node) -> Work:
    """Count the frames that V is fitted on."""
    vision = _part(node, "vision")
    return _work("vision", _fit(vision, _SEEN_FRAME * _breadth(vision), _number(vision, "batch_size", 0)), False)


def latents(node: Node) -> Work:
    """Count the frames that V encodes."""
    vision = _part(node.parents["vision"], "vision")
    return _work("latents", _recorded(node.parents["collect"]) * _ENCODED_FRAME * _breadth(vision), False)


def memory(node: Node) -> Work:
    """Count the steps that M is fitted on."""
    memory = _part(node, "memory")
    batch = _number(memory, "batch_size", 0) * _number(memory, "sequence", 0)
    return _work(
        "memory", _fit(memory, _SEQUENCE_STEP * _number(memory, "hidden_size", _HIDDEN) / _HIDDEN, batch), False
    )


def controller(node: Node) -> Work:
    """Count the steps that C is searched for in."""
    world, search = _part(node, "world"), _part(node, "search")
    if "updates" in search.arguments:
        horizon = _number(search, "horizon", 0) or _number(world, "horizon")
        updates = _number(search, "updates") * _number(search, "climbs", 1)
        return _work("gradient", updates * horizon * (_DREAM_CALLS + _number(search, "dreams") * _CLIMBED_STEP), False)
    generations, lanes = _number(search, "generations"), _number(search, "population") * _number(search, "rollouts")
    if "horizon" in world.arguments:
        a_step = _DREAM_CALLS + lanes * _DREAMT_STEP
        return _work("evolution", generations * _number(world, "horizon") * a_step, False)
    return _work("real evolution", generations * lanes * _limit(node, world) * _DRIVEN_STEP, True)


def select(node: Node) -> Work:
    """Count the steps of a trial."""
    episodes = node.config["episodes"]
    return _work("select", float(str(episodes)) * _limit(node) * _DRIVEN_STEP, True)


def agent(_: Node) -> Work:
    """Count nothing: three small files are copied."""
    return _work("agent", 0.0, False)


def baseline(node: Node) -> Work:
    """Count the random policy's steps."""
    return _work("baseline", _number(_part(node, "evaluate"), "episodes") * _limit(node) * _STEP, True)


def evaluate(node: Node) -> Work:
    """Count the steps that an agent is scored on."""
    return _work("evaluate", _number(_part(node, "evaluate"), "episodes") * _limit(node) * _SCORED_STEP, True)


def _work(kind: str, seconds: float, simulated: bool) -> Work:
    return Work(kind, _BEGIN + seconds, simulated)


def _fit(network: Component, a_sample: float, batch: float) -> float:
    """Return the seconds of a fit, none for a network of ours that has no steps to take."""
    none = 0.0 if network.target.startswith("wmframe.") else None
    return _number(network, "steps", none) * (_FIT_STEP + batch * a_sample)


def _breadth(vision: Component) -> float:
    """Return what V's products are times those of the table's."""
    return (_number(vision, "width", _WIDTH) / _WIDTH) ** 2


def _recorded(node: Node) -> float:
    """Return the steps of a collection, every episode at its full length."""
    return sum(_episodes(source) * _limit(node, source) for source in _sources(node))


def _sources(node: Node) -> Iterator[Component]:
    """Yield the sources of a round; those of other rounds are not in the node's config."""
    for group in ("first", "later"):
        sources = _part(node, "collect").arguments[group]
        if isinstance(sources, Mapping):
            yield from sources.values()


def _episodes(source: Component) -> float:
    search = source.arguments.get("search")
    if not isinstance(search, Component):
        return _number(source, "episodes")
    return _number(search, "generations") * _number(search, "population") * _number(search, "rollouts")


def _limit(node: Node, limited: Component | None = None) -> float:
    """Return an episode's most steps, of which a source or a world may allow fewer."""
    env = _part(node, "env")
    steps = _number(env, "max_frames") / _number(env, "action_repeat")
    return steps if limited is None else min(steps, _number(limited, "most_steps", 0) or steps)


def _part(node: Node, name: str) -> Component:
    part = node.config[name]
    if not isinstance(part, Component):
        raise TypeError(f"{name} is no component")
    return part


def _number(component: Component, name: str, otherwise: float | None = None) -> float:
    """Return an argument that is a number, else `otherwise`; raises ValueError if that is None."""
    value = component.arguments.get(name)
    if isinstance(value, int | float):
        return float(value)
    if otherwise is None:
        raise ValueError(f"{component.target} says nothing of its {name}")
    return otherwise
