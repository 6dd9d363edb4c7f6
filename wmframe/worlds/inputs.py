"""What a stage has at hand for a world to be opened on. Made by the controller stage, taken by `WorldSettings.open`."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from wmframe.data.emphasis import Emphasis
from wmframe.data.latents import LatentData
from wmframe.envs.batch import EnvBatch
from wmframe.memory.contract import Memory
from wmframe.memory.rules import Senses
from wmframe.vision.contract import Vision
from wmframe.worlds.starts import StartStates

KeepStarts = Callable[[Callable[[], StartStates]], StartStates]
"""Draws start states the first time and keeps them with C; afterwards returns what was kept."""

OpenEnvironments = Callable[[], AbstractContextManager[Sequence[EnvBatch]]]
"""Opens the environment in batches that threads may step, each its own."""


@dataclass(frozen=True, kw_only=True)
class WorldInputs:
    """M, what C is fed (`senses`), and what is read or opened only when a world asks for it.

    `vision` loads V, `recorded` what V encoded of all rounds, of which `emphasis` and `start_pay` say where dreams are
    to start. `environments` is None where the stage was given no environment. All chance is a function of `seed`.
    """

    memory: Memory
    senses: Senses
    seed: int
    vision: Callable[[], Vision]
    recorded: Callable[[], LatentData]
    emphasis: Emphasis
    start_pay: float | None
    keep_starts: KeepStarts
    environments: OpenEnvironments | None
