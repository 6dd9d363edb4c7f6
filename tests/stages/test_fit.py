"""The fit that V and M share: what chance it gives a step, and that measuring leaves it alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import IterableDataset

from wmframe.data.split import Split
from wmframe.engine.machine import Machine
from wmframe.engine.runs.context import StageContext
from wmframe.engine.tracking.history import Row
from wmframe.engine.tracking.progress import Progress
from wmframe.stages.fit import fit

SEED = 3
FIRST_STEP = 1_000_003 * SEED
"""What the first step is seeded with; each further one with one more."""


class Noise(IterableDataset[Tensor]):
    """Batches (8, 4) of steps start … stop, a function of the episodes and the step; `begun` counts who asked."""

    begun: dict[tuple[int, ...], int]

    def __init__(self, episodes: list[int], start: int, stop: int) -> None:
        self._episodes, self._steps = tuple(episodes), range(start, stop)

    def __iter__(self) -> Iterator[Tensor]:
        Noise.begun[self._episodes] = Noise.begun.get(self._episodes, 0) + 1
        for step in self._steps:
            chance = torch.Generator().manual_seed(1000 * sum(self._episodes) + step)
            yield torch.randn(8, 4, generator=chance)


class Chancy(pl.LightningModule):
    """A layer behind dropout, which draws as many numbers from PyTorch's generator as it is shown."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.dropout = nn.Linear(4, 1), nn.Dropout(0.5)
        self.drawn: list[Tensor] = []

    def training_step(self, batch: Tensor) -> Tensor:
        self.drawn.append(torch.rand(()))
        loss: Tensor = (self.layer(self.dropout(batch)) - 1).square().mean()
        self.log("memory/loss", loss)
        return loss

    def validation_step(self, batch: Tensor) -> None:
        noise = torch.randn(int(batch.abs().sum()), 4)
        self.log("memory/held_out_loss", self.layer(noise).square().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=0.01)


@pytest.fixture(autouse=True)
def _nobody_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Noise, "begun", {}, raising=False)


def fitted(folder: Path, split: Split, steps: int) -> tuple[Chancy, list[Row]]:
    """A module after so many steps, and the rows of its history."""
    for name in ("output", "resume"):
        (folder / name).mkdir(parents=True)
    rows: list[Row] = []
    context = StageContext(
        name="memory.1",
        key="0" * 16,
        config={},
        work=folder,
        machine=Machine(accelerator="cpu"),
        allowed=("wmframe",),
        progress=Progress(None),
        listener=rows.append,
    )
    module = Chancy()
    fit(module, steps, Noise, split, context, seed=SEED, precision="32-true")
    return module, rows


def test_what_chance_gives_a_step_is_a_function_of_seed_and_step(tmp_path: Path) -> None:
    module, _ = fitted(tmp_path, ([0], [1]), 60)
    for step, drawn in enumerate(module.drawn):
        chance = torch.Generator().manual_seed(FIRST_STEP + step)
        assert drawn == torch.rand((), generator=chance)


def test_what_is_held_out_changes_no_weight(tmp_path: Path) -> None:
    one, measured = fitted(tmp_path / "one", ([0], [1]), 60)
    other, differently = fitted(tmp_path / "other", ([0], [2]), 60)
    assert torch.equal(one.layer.weight, other.layer.weight)
    assert torch.equal(one.layer.bias, other.layer.bias)
    assert measured != differently


def test_held_out_batches_are_drawn_once(tmp_path: Path) -> None:
    _, rows = fitted(tmp_path, ([0], [1]), 60)
    assert sum("memory/held_out_loss" in row for row in rows) == 2
    assert Noise.begun == {(0,): 1, (1,): 1}


@pytest.mark.parametrize(("steps", "measured", "rows"), [(3, 1, 3), (60, 2, 12), (500, 10, 100), (1000, 20, 100)])
def test_a_long_fit_is_measured_twenty_times_and_a_short_one_less_often(
    tmp_path: Path, steps: int, measured: int, rows: int
) -> None:
    _, history = fitted(tmp_path, ([0], [1]), steps)
    held_out = [row["step"] for row in history if "memory/held_out_loss" in row]
    assert len(held_out) == measured
    assert held_out[-1] == (steps if steps != 60 else 50)
    assert sum("memory/loss" in row for row in history) == rows
