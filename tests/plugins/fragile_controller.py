"""A controller that passes every check and fails at work, under the one combination of values that `breaks` names."""

from collections.abc import Mapping

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor

from wmframe.controller.linear import Linear


class Fragile(Linear):
    """The linear controller, until it meets what breaks it."""

    mended = False

    def __init__(
        self,
        *,
        latent_size: PositiveInt,
        hidden_size: NonNegativeInt,
        action_size: PositiveInt,
        mixtures: PositiveInt,
        temperature: PositiveFloat,
        seed: NonNegativeInt,
        breaks: dict[str, float],
    ) -> None:
        super().__init__(latent_size=latent_size, hidden_size=hidden_size, action_size=action_size)
        met = {"latent_size": latent_size, "mixtures": mixtures, "temperature": temperature, "seed": seed}
        self._breaks = len(breaks) > 0 and _within(breaks, met)

    def say(self, parameters: Tensor, features: Tensor) -> Tensor:
        if self._breaks and not self.mended:
            raise ArithmeticError("the steering column came off")
        return super().say(parameters, features)


def _within(some: Mapping[str, float], all_of: Mapping[str, float]) -> bool:
    return all(all_of[name] == value for name, value in some.items())
