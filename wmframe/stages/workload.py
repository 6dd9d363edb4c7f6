"""How much work a stage is, read off its config: what it counts, times what each took on one machine.

A node comes in; a `Work` goes out, None for a stage whose parts say nothing that is known here. The seconds are rough:
one run of `preset=quick` on CarRacing, four frames a step, on a virtual machine of two cores (AMD EPYC, PyTorch 2.13);
dreams are those of docs/performance.md. They promise nothing of another machine or environment: who uses them
(`outlook`) scales them by what this very run's stages took, and keeps only how stages of different kinds and sizes
relate. Imports nothing heavy.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
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


def work_of(node: Node) -> Work | None:
    """Return how much work a node is, None where nobody here can tell."""
    # A component may be anybody's, and lack any of the arguments that ours have.
    with suppress(KeyError, TypeError, AttributeError, ValueError):
        kind, seconds, simulated = _BY_STAGE[node.stage.name](node)
        return Work(kind, _BEGIN + seconds, simulated)
    return None


_Judged = tuple[str, float, bool]
"""Kind, seconds and `simulated`."""


def _collect(node: Node) -> _Judged:
    driven = bool(node.parents)
    return "driven collect" if driven else "collect", _recorded(node) * (_DRIVEN_STEP if driven else _STEP), True


def _vision(node: Node) -> _Judged:
    vision = _part(node, "vision")
    return "vision", _fit(vision, _SEEN_FRAME * _breadth(vision), _number(vision, "batch_size", 0)), False


def _latents(node: Node) -> _Judged:
    vision = _part(node.parents["vision"], "vision")
    return "latents", _recorded(node.parents["collect"]) * _ENCODED_FRAME * _breadth(vision), False


def _memory(node: Node) -> _Judged:
    memory = _part(node, "memory")
    batch = _number(memory, "batch_size", 0) * _number(memory, "sequence", 0)
    return "memory", _fit(memory, _SEQUENCE_STEP * _number(memory, "hidden_size", _HIDDEN) / _HIDDEN, batch), False


def _controller(node: Node) -> _Judged:
    world, search = _part(node, "world"), _part(node, "search")
    if "updates" in search.arguments:
        horizon = _number(search, "horizon", 0) or _number(world, "horizon")
        updates = _number(search, "updates") * _number(search, "climbs", 1)
        return "gradient", updates * horizon * (_DREAM_CALLS + _number(search, "dreams") * _CLIMBED_STEP), False
    generations, lanes = _number(search, "generations"), _number(search, "population") * _number(search, "rollouts")
    if "horizon" in world.arguments:
        a_step = _DREAM_CALLS + lanes * _DREAMT_STEP
        return "evolution", generations * _number(world, "horizon") * a_step, False
    return "real evolution", generations * lanes * _limit(node, world) * _DRIVEN_STEP, True


def _select(node: Node) -> _Judged:
    episodes = node.config["episodes"]
    return "select", float(str(episodes)) * _limit(node) * _DRIVEN_STEP, True


def _agent(_: Node) -> _Judged:
    return "agent", 0.0, False


def _baseline(node: Node) -> _Judged:
    return "baseline", _number(_part(node, "evaluate"), "episodes") * _limit(node) * _STEP, True


def _evaluate(node: Node) -> _Judged:
    return "evaluate", _number(_part(node, "evaluate"), "episodes") * _limit(node) * _SCORED_STEP, True


_BY_STAGE: Final[Mapping[str, Callable[[Node], _Judged]]] = {
    "collect": _collect,
    "vision": _vision,
    "latents": _latents,
    "memory": _memory,
    "controller": _controller,
    "select": _select,
    "agent": _agent,
    "baseline": _baseline,
    "evaluate": _evaluate,
}


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
