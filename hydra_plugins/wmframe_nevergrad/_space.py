"""Hydra's sweep syntax as a space that Nevergrad searches, and a point of it as overrides again."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import nevergrad as ng
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, Override, RangeSweep

from wmframe.engine.errors import UserError


class Space:
    """What may be changed, and what is fixed, of jobs given by overrides.

    `choice(...)` and `a=1,2` are choices without an order, or with one by `tag(ordered, ...)`; `range(...)` has one;
    `interval(...)` is continuous, whole numbers by `int(interval(...))`, on a logarithmic scale by `tag(log, ...)`.
    """

    def __init__(self, overrides: Sequence[str]) -> None:
        self._overrides = OverridesParser.create().parse_overrides(list(overrides))
        free = {name: _parameter(o) for name, o in self._named() if o.is_sweep_override()}
        if not free:
            raise UserError("a search needs a key with a range of values: world.temperature='interval(0.5,1.5)'")
        self.parameters = ng.p.Dict(**free)

    def overrides(self, point: dict[str, Any]) -> list[str]:
        """Return the overrides of a point, in the order in which they were typed."""
        return [
            f"{override.get_key_element()}={_text(point[name])}" if name in point else str(override.input_line)
            for name, override in self._named()
        ]

    def _named(self) -> Iterator[tuple[str, Override]]:
        """Yield every override with a name of its own: two may merge dictionaries into one key."""
        seen: Counter[str] = Counter()
        for override in self._overrides:
            key = override.get_key_element()
            seen[key] += 1
            yield key if seen[key] == 1 else f"{key} ({seen[key]})", override


def with_changes(overrides: Sequence[str], changes: Sequence[str]) -> list[str]:
    """Return the overrides with `changes` in place of those of the same keys, or at the end."""
    changed = {change.partition("=")[0] for change in changes}
    return [*(o for o in overrides if o.lstrip("+").partition("=")[0] not in changed), *changes]


def _parameter(override: Override) -> Any:
    value = override.value()
    if isinstance(value, ChoiceSweep | RangeSweep):
        options = list(override.sweep_string_iterator())
        in_order = isinstance(value, RangeSweep) or "ordered" in value.tags
        return ng.p.TransitionChoice(options) if in_order else ng.p.Choice(options)
    if isinstance(value, IntervalSweep) and value.start is not None and value.end is not None:
        low, high, logarithmic = value.start, value.end, "log" in value.tags
        if low < high and (low > 0 or not logarithmic):
            scalar = ng.p.Log(lower=low, upper=high) if logarithmic else ng.p.Scalar(lower=low, upper=high)
            return scalar.set_integer_casting() if isinstance(low, int) else scalar
        raise UserError(f"{override.input_line}: from low to high, and on a logarithmic scale from above 0")
    raise UserError(f"{override.input_line}: use choice(...), range(...) or interval(low, high)")


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
