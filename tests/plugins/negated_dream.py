"""A dream of a user's own, which pays the opposite of what M says.

One file, one YAML (conf/world/negated.yaml beside it), and no edit anywhere else.
"""

from dataclasses import dataclass, replace

from torch import Tensor

from wmframe.memory.contract import Memory
from wmframe.memory.rules import Senses
from wmframe.worlds.contract import Step
from wmframe.worlds.dream import Dream
from wmframe.worlds.settings import DreamSettings
from wmframe.worlds.starts import StartStates


class NegatedDream(Dream):
    """Every step pays minus what M says."""

    def step(self, actions: Tensor) -> Step:
        step = super().step(actions)
        return replace(step, reward=-step.reward)


@dataclass(frozen=True, kw_only=True)
class NegatedDreams(DreamSettings):
    """C learns to lose."""

    @property
    def differentiable(self) -> bool:
        return False

    def dream(self, memory: Memory, starts: StartStates, senses: Senses, *, scored: bool = False) -> Dream:
        return NegatedDream(
            memory=memory,
            starts=starts,
            senses=senses,
            horizon=self.horizon,
            temperature=self.temperature,
            done_rule=self.done_rule,
            bootstrap=self.bootstrap and not scored,
        )
