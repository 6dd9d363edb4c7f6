"""What C must offer: a whole population acts in one batched product.

Parameters are flat vectors, so that any search can propose them. Called by search, worlds' roll-outs and collection.
Legend: P population, R roll-outs, F features, A action, D parameters.
"""

from abc import ABC, abstractmethod
from typing import final

from torch import Tensor

from wmframe.envs.actions import ACTIONS, Actions
from wmframe.memory.rules import Senses


class Controller(ABC):
    """C. Holds no parameters of its own: `size` says how many (D), `act` takes them.

    `senses` says which features it is fed, `feature_size` (F) how many that makes, `action_size` is A, and `actions`
    what kind of actions these are.
    """

    actions: Actions = ACTIONS["box"]
    senses: Senses
    feature_size: int
    action_size: int
    size: int

    @abstractmethod
    def say(self, parameters: Tensor, features: Tensor) -> Tensor:
        """Map parameters (P, D) and features (P, R, F) to what says which actions are likely, (P, R, A)."""

    @final
    def act(self, parameters: Tensor, features: Tensor) -> Tensor:
        """Map parameters (P, D) and features (P, R, F) to the likeliest actions (P, R, A)."""
        return self.actions.mode(self.say(parameters, features))
