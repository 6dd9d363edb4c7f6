"""A controller with one hidden layer: the paper's second V-only row, 1,443 parameters with 40 units on z alone."""

import torch
from pydantic import NonNegativeInt, PositiveInt
from torch import Tensor

from wmframe.controller.contract import Controller
from wmframe.memory.rules import Senses, feature_size


class Hidden(Controller):
    """a = tanh(W₂ tanh(W₁ f + b₁) + b₂). A parameter vector is [W₁; b₁; W₂; b₂], each row by row."""

    def __init__(
        self,
        *,
        latent_size: PositiveInt,
        hidden_size: NonNegativeInt,
        action_size: PositiveInt,
        units: PositiveInt = 40,
        senses: Senses = "z",
    ) -> None:
        self.senses, self.action_size, self.units = senses, action_size, units
        self.feature_size = feature_size(senses, latent_size, hidden_size)
        self._split = [units * self.feature_size, units, action_size * units, action_size]
        self.size = sum(self._split)

    def say(self, parameters: Tensor, features: Tensor) -> Tensor:
        """Map parameters (P, D) and features (P, R, F) to W₂ tanh(W₁ f + b₁) + b₂, (P, R, A)."""
        w1, b1, w2, b2 = torch.split(parameters, self._split, -1)
        first = w1.view(-1, self.units, self.feature_size)
        second = w2.view(-1, self.action_size, self.units)
        hidden = torch.baddbmm(b1[:, :, None], first, features.mT).tanh_()
        return torch.baddbmm(b2[:, :, None], second, hidden).mT
