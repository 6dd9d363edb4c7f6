"""What a stage's function is given beside its arguments: a folder to work in, a machine, and someone to tell.

It keeps resumable state in `context.resume` and writes what is to be published into `context.output`. Made by the
runner, once for every result that is computed.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import UnionType
from typing import Final, SupportsFloat, cast, get_args

import torch

from wmframe.engine.config.bind import Component
from wmframe.engine.config.building import Built, build_as
from wmframe.engine.durability.completed_files import Kept
from wmframe.engine.durability.files import write_json
from wmframe.engine.machine import Machine
from wmframe.engine.tracking.history import History, Row, check_name, read
from wmframe.engine.tracking.progress import Progress

HISTORY: Final = "history.jsonl"
"""The file of a stage's curves."""

METRICS: Final = "metrics.json"
"""The file of what a stage came to in numbers, by name, if it wrote one."""


@dataclass(frozen=True, kw_only=True)
class StageContext:
    """One result about to be computed; `name` is its own in the graph ("memory.2"), `key` what it is published under.

    `config` is what stands in the key. Components may come from `allowed` modules. `listener` is told every row of the
    stage's history.
    """

    name: str
    key: str
    config: Mapping[str, object]
    work: Path
    machine: Machine
    allowed: Sequence[str]
    progress: Progress
    listener: Callable[[Row], None]

    @property
    def resume(self) -> Path:
        """Where state to continue from is kept; it survives a kill."""
        return self.work / "resume"

    @property
    def output(self) -> Path:
        """Where what will be published is written."""
        return self.work / "output"

    @cached_property
    def kept(self) -> Kept:
        """The files of the output that are finished, whatever becomes of the stage."""
        return Kept(self.output, self.resume / "kept.jsonl", self.key, self.say)

    def say(self, line: str) -> None:
        """Tell a person something about this stage."""
        self.progress.say(f"{self.name}: {line}")

    def component(self, name: str) -> Component:
        """Return one of the parts as the config has it, to be written beside what was made of it."""
        value = self.config[name]
        if not isinstance(value, Component):
            raise TypeError(f"{self.name}: {name} is {value!r}, no component")
        return value

    def build(self, name: str, kind: type[Built] | UnionType) -> Built:
        """Build a part of the config; its random numbers are a function of the seed in the config alone."""
        seed = self.config.get("seed", 0)
        torch.manual_seed(seed if isinstance(seed, int) else 0)
        wanted = cast("type[Built]", next((one for one in get_args(kind) if one is not type(None)), kind))
        return build_as(self.component(name), wanted, allowed=self.allowed, path=name)

    def history(self, resume_step: int | None = None) -> History:
        """Open the stage's history, without the rows behind `resume_step`; the listener hears the kept ones too.

        What it holds is not checked: rows to go on from are written by whoever vouches for them.
        """
        history = History(self.output / HISTORY, resume_step=resume_step, listener=self.listener)
        for row in read(self.output / HISTORY):
            self.listener(row)
        return history

    def metrics(self, values: Mapping[str, SupportsFloat]) -> None:
        """Write what the stage came to in numbers, which tables, searches and trackers have from there.

        Names are of small letters, digits and `_`. Raises ValueError for any other, or a value that is not finite.
        """
        numbers = {
            check_name(f"metrics/{name}").removeprefix("metrics/"): float(value) for name, value in values.items()
        }
        if wrong := [name for name, value in numbers.items() if not math.isfinite(value)]:
            raise ValueError(f"{self.name}: {wrong[0]} is {numbers[wrong[0]]}: it must be finite")
        write_json(self.output / METRICS, numbers)
