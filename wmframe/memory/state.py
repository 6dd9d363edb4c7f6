"""What M carries from step to step, and the chance that a step is decided by.

All that is done to a state without knowing which memory it is of is done here: picked by row, put in place, moved.
Legend: B lanes, Z latent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class State:
    """What M carries between steps. Concrete ones add tensors, a lane a row: (B, …), of one shape at every step.

    `z` (B, Z) is V's latent that the lanes are at; after `Memory.advance` the one they come from, until the next is
    observed or imagined. A position is a tensor (B,), a cache a ring.
    """

    z: Tensor

    @classmethod
    def of(cls, state: "State") -> Self:
        """Return the state itself. Raises TypeError for one of another memory."""
        if not isinstance(state, cls):
            raise TypeError(f"a {type(state).__name__} is no {cls.__name__}: it is another memory's")
        return state

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All of its tensors, in the order of the fields."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def but(self, **changed: Tensor) -> Self:
        """Return the state with these tensors instead of its own."""
        return replace(self, **changed)

    def with_tensors(self, tensors: Sequence[Tensor]) -> Self:
        """Return a state of the same kind made of other tensors, in the order of the fields."""
        return type(self)(*tensors)

    def rows(self, at: Tensor) -> Self:
        """Return the lanes at these numbers (N,), each as often as it is named."""
        return self.with_tensors([tensor[at] for tensor in self.tensors])

    def put(self, lanes: Tensor, others: "State") -> Self:
        """Return the state with the lanes at these numbers (N,) replaced by those of `others`."""
        pairs = zip(self.tensors, self.of(others).tensors, strict=True)
        return self.with_tensors([mine.index_copy(0, lanes, theirs) for mine, theirs in pairs])

    def to(self, *, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Self:
        """Return the state on a device, its floating-point numbers as `dtype`."""
        moved = [each.to(device=device, dtype=dtype if each.is_floating_point() else None) for each in self.tensors]
        return self.with_tensors(moved)


@dataclass(frozen=True)
class NoiseSize:
    """How many numbers a step of a lane is decided by: uniform ones in [0, 1), and standard normal ones."""

    uniform: int = 0
    normal: int = 0

    def draw(self, chance: torch.Generator, steps: int, dtype: torch.dtype | None = None) -> Tensor:
        """Draw those of so many steps, (steps, uniform + normal), the uniform ones of all steps first."""
        uniform = torch.rand(steps, self.uniform, generator=chance, dtype=dtype)
        return torch.cat((uniform, torch.randn(steps, self.normal, generator=chance, dtype=dtype)), 1)

    def of_lanes(self, chances: Sequence[torch.Generator], z: Tensor) -> "Noise":
        """Draw those of one step for lanes at z (B, Z), each from its own generator."""
        if self.uniform + self.normal == 0:
            return self.middle(z)
        return self.split(torch.cat([self.draw(chance, 1, z.dtype) for chance in chances]).to(z.device))

    def middle(self, z: Tensor) -> "Noise":
        """Return the middle of all that could be drawn, 0.5 and 0, for lanes at z (B, Z)."""
        return Noise(z.new_full((len(z), self.uniform), 0.5), z.new_zeros(len(z), self.normal))

    def split(self, drawn: Tensor) -> "Noise":
        """Return numbers (B, uniform + normal) as what they are."""
        return Noise(*torch.split(drawn, [self.uniform, self.normal], -1))


@dataclass(frozen=True)
class Noise:
    """What decides a step of B lanes: `uniform` (B, U) in [0, 1), `normal` (B, N). Its size is the memory's to say."""

    uniform: Tensor
    normal: Tensor

    def rows(self, at: Tensor) -> "Noise":
        """Return that of the lanes at these numbers (N,), each as often as it is named."""
        return Noise(self.uniform[at], self.normal[at])
