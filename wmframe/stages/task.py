"""What a stage is given: its own config, its parents' folders, a folder to work in, and someone to tell.

Every stage is one function `run(task)` in a file of its own, in the same order: build, fit, save. It keeps resumable
state in `task.resume` and writes what is to be published into `task.output`. Called by the pipeline.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import torch

from wmframe.config.bind import Component
from wmframe.data.emphasis import Emphasis
from wmframe.envs.batch import EnvBatch, make_batch, make_batches
from wmframe.envs.spec import EnvSpec
from wmframe.stages.building import Built, build_as
from wmframe.stages.kept import Kept
from wmframe.stages.machine import Machine
from wmframe.stages.models import agent_parts
from wmframe.tracking.history import History, Row, read
from wmframe.tracking.progress import Progress

HISTORY: Final = "history.jsonl"
"""The file of a stage's curves."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One stage of one round, about to run; `name` is its own in the graph ("memory.2"), `key` its result's.

    `config` is what stands in the stage's key: components and plain values by name. `inputs` are the folders of its
    parents by their names ("vision", "collect.1", …). `listener` is told every row of the stage's history.
    """

    name: str
    key: str
    config: Mapping[str, object]
    inputs: Mapping[str, Path]
    work: Path
    machine: Machine
    allowed: Sequence[str]
    progress: Progress
    listener: Callable[[Row], None]

    @property
    def seed(self) -> int:
        """The run's seed; 0 in a stage that leaves nothing to chance but its environments' seeds."""
        return self.integer("seed") if "seed" in self.config else 0

    @property
    def driver(self) -> Mapping[str, Path]:
        """The folders of the V, M and C that it is given, by their names: each a parent, or all in a whole agent."""
        return agent_parts(self.inputs["agent"]) if "agent" in self.inputs else self.inputs

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

    def integer(self, name: str) -> int:
        """Return a whole number of the config."""
        value = self.config[name]
        if not isinstance(value, int):
            raise TypeError(f"{self.name}: {name} is {value!r}, not a whole number")
        return value

    def number(self, name: str) -> float:
        """Return a number of the config."""
        value = self.config[name]
        if not isinstance(value, int | float):
            raise TypeError(f"{self.name}: {name} is {value!r}, not a number")
        return float(value)

    @property
    def emphasis(self) -> Emphasis:
        """How much of what is learned from was recorded lately; the first round's config says less about it."""
        named = ("later_share", "recency")
        return Emphasis(**{name: self.number(name) for name in named if name in self.config})

    def component(self, name: str) -> Component:
        """Return a component of the config, unbuilt."""
        value = self.config[name]
        if not isinstance(value, Component):
            raise TypeError(f"{self.name}: {name} is {value!r}, not a component")
        return value

    def build(self, name: str, kind: type[Built]) -> Built:
        """Build a component of the config, with PyTorch's random state a function of the run's seed alone."""
        torch.manual_seed(self.seed)
        return build_as(self.component(name), kind, allowed=self.allowed, path=name)

    def environments(self, *, reference: bool = False) -> EnvBatch:
        """Open the config's environment, as it is or as its reference; use as a context manager."""
        spec = self.build("env", EnvSpec)
        return make_batch(spec.reference() if reference else spec, self.machine.environment_workers)

    @contextmanager
    def environments_apart(self) -> Iterator[Sequence[EnvBatch]]:
        """Open the config's environment in batches that threads may step, each its own."""
        with ExitStack() as stack:
            batches = make_batches(self.build("env", EnvSpec), self.machine.environment_workers)
            yield [stack.enter_context(batch) for batch in batches]

    def many(self, stage: str) -> list[Path]:
        """Return the folders of all parents of a stage ("collect.1", "collect.2", …), oldest first."""
        names = [name for name in self.inputs if name.startswith(f"{stage}.")]
        return [self.inputs[name] for name in sorted(names, key=lambda name: int(name.split(".")[1]))]

    def history(self, resume_step: int | None = None) -> History:
        """Open the stage's history, without the rows behind `resume_step`; the listener hears the kept ones too.

        What it holds is not checked: rows to go on from are written by whoever vouches for them.
        """
        history = History(self.output / HISTORY, resume_step=resume_step, listener=self.listener)
        for row in read(self.output / HISTORY):
            self.listener(row)
        return history
