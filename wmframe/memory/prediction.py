"""What M says of the next step. Legend: Z latent, K mixtures, (...) any leading dimensions."""

from dataclasses import dataclass

from torch import Tensor

from wmframe.memory.mixture import Mixture


@dataclass(frozen=True)
class Prediction:
    """p(z', r, d) of one step or many, leading dimensions (...).

    `latent` is the mixture over z' (..., K, Z); `reward` (...) its mean in the environment's own units; `done` (...)
    the logit of a true end (a time limit is never one); `value` (...) the mean of what the memory's `value_steps` steps
    after that one pay together, None if it has none.
    """

    latent: Mixture
    reward: Tensor
    done: Tensor
    value: Tensor | None = None
