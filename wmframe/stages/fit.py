"""One way to fit V and M with PyTorch Lightning, such that a killed fit ends with the same bits.

A module and its batches come in; the module comes out fitted, its history beside it. Batches are a pure function of
(seed, step), so is PyTorch's random state, and Lightning's own state is kept as plain data; nothing else is needed to
resume. Called by the vision and memory stages.
"""

import logging
import math
import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from wmframe.data.episodes import split
from wmframe.errors import UserError
from wmframe.stages.resume import PlainCheckpoints, saved_step
from wmframe.stages.task import Task
from wmframe.tracking.history import History
from wmframe.tracking.progress import Bar

Batches = Callable[[list[int], int, int], "IterableDataset[Any]"]
"""The batches of steps start … stop, drawn from these episodes."""

_CHECKS = 20
"""How often, in a whole fit, the held-out batches are measured."""


def fit(module: pl.LightningModule, steps: int, batches: Batches, episodes: int, task: Task) -> None:
    """Fit a module on nine of ten `episodes` for `steps` batches, or go on where an interrupted fit of the task stood.

    On the held-out tenth it is measured about 20 times. The module is left in evaluation mode on the CPU.
    """
    if steps == 0:
        module.eval()
        return
    fit_on, held_out = split(episodes)
    folder = task.resume / "fit"
    begun = saved_step(folder)
    every = max(steps // _CHECKS, min(steps, 25))
    with (
        task.history(begun or 0) as history,
        task.progress.stage(task.name, total=steps, unit="steps", start=begun or 0) as bar,
        warnings.catch_warnings(),
    ):
        _quieten()
        trainer = pl.Trainer(
            max_steps=steps,
            max_epochs=1,
            accelerator="gpu" if task.machine.device.type == "cuda" else "cpu",
            devices=1,
            precision=task.machine.precision,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            val_check_interval=every,
            check_val_every_n_epoch=None,
            plugins=[PlainCheckpoints()],
            callbacks=[
                _StepSeed(task.seed),
                _Finite(),
                _Record(history, bar, max(every // 5, 1)),
                _Save(str(folder), task.machine.save_seconds),
            ],
        )
        trainer.fit(
            module,
            _loader(batches(fit_on, begun or 0, steps)),
            _loader(batches(held_out, 0, 8)),
            ckpt_path=None if begun is None else str(folder),
            weights_only=True,
        )
    module.cpu().eval()


class _StepSeed(pl.Callback):
    """Make every draw of a step a function of (seed, step), so that no random state needs saving."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        torch.manual_seed(self._seed * 1_000_003 + trainer.global_step)

    def on_validation_batch_start(self, trainer: pl.Trainer, module: Any, batch: Any, index: int, *_: Any) -> None:
        torch.manual_seed(self._seed * 1_000_003 + index)


class _Finite(pl.Callback):
    """Let no state with a NaN in it be kept to go on from, nor be the fit's result."""

    def on_save_checkpoint(self, trainer: pl.Trainer, module: pl.LightningModule, *_: Any) -> None:
        self._check(trainer, module)

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._check(trainer, module)

    def _check(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        bad = [name for name, weights in module.named_parameters() if not bool(weights.isfinite().all())]
        if bad:
            raise _diverged(module, trainer.global_step, f"{bad[0]} is not finite")


class _Record(pl.Callback):
    """Write what the module logged, every few steps and after each measurement of held-out batches."""

    def __init__(self, history: History, bar: Bar, every: int) -> None:
        self._history, self._bar, self._every = history, bar, every

    def on_train_batch_end(self, trainer: pl.Trainer, module: pl.LightningModule, *_: Any) -> None:
        step = trainer.global_step
        if step % self._every == 0 or step == trainer.max_steps:
            logged = {k: v for k, v in _numbers(trainer).items() if "held_out" not in k}
            self._log(module, step, logged)
            self._bar.update(done=step, note=", ".join(f"{_short(k)} {v:.4g}" for k, v in logged.items()))

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._log(module, trainer.global_step, {k: v for k, v in _numbers(trainer).items() if "held_out" in k})

    def _log(self, module: pl.LightningModule, step: int, logged: dict[str, float]) -> None:
        if not all(math.isfinite(value) for value in logged.values()):
            raise _diverged(module, step, str(logged))
        self._history.log(step, logged)


class _Save(pl.Callback):
    """Keep the state to continue from, every so many seconds."""

    def __init__(self, folder: str, seconds: float) -> None:
        self._folder, self._seconds, self._last = folder, seconds, time.monotonic()

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if time.monotonic() - self._last >= self._seconds:
            trainer.save_checkpoint(self._folder, weights_only=False)
            self._last = time.monotonic()


def _diverged(module: pl.LightningModule, step: int, what: str) -> UserError:
    return UserError(
        f"{type(module).__name__} diverged at step {step}: {what}. Lower its learning_rate; what was fitted and saved "
        "before is kept under the stage's .work folder.",
        exit_code=1,
    )


def _numbers(trainer: pl.Trainer) -> dict[str, float]:
    return {name: float(value) for name, value in trainer.callback_metrics.items()}


def _short(name: str) -> str:
    return name.rsplit("/", maxsplit=1)[-1].replace("_", " ")


def _loader(batches: Iterable[Any]) -> "DataLoader[Tensor]":
    return DataLoader(batches, batch_size=None)  # type: ignore[arg-type]


def _quieten() -> None:
    """Silence what Lightning says about choices that are deliberate here."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    for about in (".*does not have many workers.*", ".*resuming from a checkpoint that ended before.*"):
        warnings.filterwarnings("ignore", about, UserWarning)
    warnings.filterwarnings("ignore", "GPU available but not used.*")
    warnings.filterwarnings("ignore", ".*treespec, LeafSpec.* is deprecated.*")  # Lightning 2.6 on PyTorch 2.13
