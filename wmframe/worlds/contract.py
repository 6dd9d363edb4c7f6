"""The one face that a controller sees, awake or dreaming.

Features come out, actions go in, always batched, always torch. Reality and Dream implement it; roll-outs, search,
collection and evaluation use it and cannot tell which one they are in. Legend: B lanes, U episodes,
F features, A action, D parameters.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from wmframe.controller.contract import Controller
from wmframe.engine.errors import UserError
from wmframe.envs.batch import BatchStep
from wmframe.memory.rules import Reparameterization


@dataclass(frozen=True)
class Step:
    """What a step brought: the next `features` (B, F), `reward` (B,) float, `done` (B,) bool.

    A lane that was done before the step stays done and is paid 0, whatever its action. The features may be the world's
    own memory: the next step overwrites them. `observed` is what the environments showed, for whoever records or films,
    and `acted` (B, A) what they were told. Both are None where there are none, as in a dream; and when an episode has
    just begun nothing was told yet, and the reward is 0.
    """

    features: Tensor
    reward: Tensor
    done: Tensor
    observed: BatchStep | None = None
    acted: Tensor | None = None

    def shown(self) -> BatchStep:
        """Return what the environments showed. Raises TypeError in a world where there is none."""
        if self.observed is None:
            raise TypeError("this world has no environment that would show anything")
        return self.observed


class DifferentiableWorld(ABC):
    """A world's returns as a function of C's parameters that has a gradient, for one C at a time.

    `horizon` is how many steps its episodes last if nobody asks for another number.
    """

    horizon: int

    @abstractmethod
    def returns(self, controller: Controller, parameters: Tensor, seeds: Sequence[int], *, horizon: int) -> Tensor:
        """Return what C with parameters (D,) is paid in an episode of `horizon` steps a seed: (U,), attached to D."""


class World(ABC):
    """Episodes in parallel lanes. What happens in a lane is a pure function of its seed and its actions.

    `feature_size` (F) and `action_size` (A) fit the controller; `lanes` is how many it likes to run at once,
    `time_limit` the most steps that an episode can last.
    """

    feature_size: int
    action_size: int
    lanes: int
    time_limit: int

    @abstractmethod
    def reset(self, seeds: Sequence[int]) -> Step:
        """Begin an episode per seed. Equal seeds begin equally."""

    @abstractmethod
    def step(self, actions: Tensor) -> Step:
        """Take actions (B, A) in [-1, 1]."""

    def twins(self) -> Sequence["World"]:
        """Return worlds equal to this one that may run at once, each in a thread of its own; itself is the first."""
        return (self,)

    def differentiable(
        self,
        *,
        reparameterization: Reparameterization = "component",
        risk_tolerance: float | None = None,
        value_weight: float = 1.0,
    ) -> DifferentiableWorld:
        """Return the same episodes with a gradient; what the arguments mean, `DifferentiableDream` says.

        Raises UserError if they have none, as by default.
        """
        raise UserError(
            f"search=gradient: {type(self).__name__} has no gradient, so nothing can climb in it. Add search=cma."
        )
