"""The paper's controller: a = tanh(W [z; h] + b), 867 parameters at Z 32, H 256 (section 2.4)."""

import torch
from pydantic import NonNegativeInt, PositiveInt
from torch import Tensor

from wmframe.controller.contract import Controller
from wmframe.memory.rules import Senses, feature_size


class Linear(Controller):
    """One layer. A parameter vector is [W row by row; b], of length A · F + A, or A · F without `bias` (Doom)."""

    def __init__(
        self,
        *,
        latent_size: PositiveInt,
        hidden_size: NonNegativeInt,
        action_size: PositiveInt,
        senses: Senses = "zh",
        bias: bool = True,
    ) -> None:
        self.senses, self.action_size, self.bias = senses, action_size, bias
        self.feature_size = feature_size(senses, latent_size, hidden_size)
        self.size = action_size * (self.feature_size + bias)

    def say(self, parameters: Tensor, features: Tensor) -> Tensor:
        """Map parameters (P, D) and features (P, R, F) to W f + b, (P, R, A)."""
        split = self.action_size * self.feature_size
        weight = parameters[:, :split].view(-1, self.action_size, self.feature_size)
        # The features of a dream lie lanes last: this way round the product takes a tenth of the time.
        actions = torch.bmm(weight, features.mT)
        if self.bias:
            actions += parameters[:, split:, None]
        return actions.mT
