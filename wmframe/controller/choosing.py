"""Any C in an environment of discrete actions: its outputs are the logits of what it may choose.

The recipe puts it around the controller of a config where `env.actions` is discrete.
"""

from torch import Tensor

from wmframe.controller.contract import Controller
from wmframe.envs.actions import ACTIONS


class Choosing(Controller):
    """C acts by the choice that it says is likeliest. Parameters are those of the controller that it is put around."""

    actions = ACTIONS["discrete"]

    def __init__(self, *, of: Controller) -> None:
        self._of = of
        self.senses, self.feature_size = of.senses, of.feature_size
        self.action_size, self.size = of.action_size, of.size

    def say(self, parameters: Tensor, features: Tensor) -> Tensor:
        """Return the logits (P, R, A)."""
        return self._of.say(parameters, features)
