"""What an action is: how a policy's numbers become one, and what an environment can be told.

Numbers (..., A) come in, actions (..., A) go out. An environment says which kind it takes (`EnvSpec.actions`), and all
that acts in it goes by that. Legend: A action, P parts.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Final

from torch import Tensor
from torch.nn import functional

from wmframe.envs.spec import ActionKind

_REACH: Final = 1.5
"""What a component is tried at is drawn from ± this and clipped to ± 1, so that a third are full stops."""


class Actions(ABC):
    """One kind of action."""

    @abstractmethod
    def mode(self, said: Tensor) -> Tensor:
        """Return the likeliest action (..., A) of the distribution that a policy says by numbers (..., A).

        It has a gradient; what that is where the action itself has none, the kinds say.
        """

    @abstractmethod
    def nearest(self, action: Tensor) -> Tensor:
        """Return the action (..., A) that an environment is told where somebody wanted this one."""

    @abstractmethod
    def parts(self, size: int) -> int:
        """Return how many parts P of an action of this size can be chosen apart from each other."""

    @abstractmethod
    def tried(self, uniform: Tensor, size: int) -> Tensor:
        """Return actions (..., A) to try things out with, from numbers (..., P) in [0, 1)."""


class Box(Actions):
    """A point of [-1, 1]^A: numbers are squashed by tanh (paper, section 2.4), each component stands alone."""

    def mode(self, said: Tensor) -> Tensor:
        """See `Actions.mode`."""
        return said.tanh()

    def nearest(self, action: Tensor) -> Tensor:
        """Return the action itself."""
        return action

    def parts(self, size: int) -> int:
        """Return A."""
        return size

    def tried(self, uniform: Tensor, size: int) -> Tensor:
        """Return each component anywhere, a third of them at a full stop."""
        return ((2 * uniform - 1) * _REACH).clamp(-1, 1)


class Discrete(Actions):
    """One of A choices: numbers are a categorical distribution's logits."""

    def mode(self, said: Tensor) -> Tensor:
        """Return the likeliest choice; its gradient is that of the probabilities (straight-through)."""
        chosen = self.nearest(said.detach())
        if not said.requires_grad:
            return chosen
        likely = said.softmax(-1)
        return chosen + (likely - likely.detach())

    def nearest(self, action: Tensor) -> Tensor:
        """Return the choice with the largest entry, the first of equal ones."""
        return functional.one_hot(action.argmax(-1), action.shape[-1]).to(action.dtype)

    def parts(self, size: int) -> int:
        """Return 1."""
        return 1

    def tried(self, uniform: Tensor, size: int) -> Tensor:
        """Return any choice as often as another."""
        at = (uniform[..., 0] * size).long().clamp(max=size - 1)
        return functional.one_hot(at, size).to(uniform.dtype)


ACTIONS: Final[Mapping[ActionKind, Actions]] = {"box": Box(), "discrete": Discrete()}
"""All kinds, by the word that a config has for them."""
