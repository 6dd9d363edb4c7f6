"""How much work a result is, as a recipe judges its own stages."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    """Seconds that a stage would have taken where the recipe's table was measured.

    Stages of one `kind` differ in amount alone; `simulated` says whether an environment takes the time, or arithmetic.
    """

    kind: str
    seconds: float
    simulated: bool = False
