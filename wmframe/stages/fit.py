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
from pathlib import Path
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from wmframe.data.split import Split
from wmframe.engine.durability import failpoints, signals
from wmframe.engine.durability.files import write_atomic
from wmframe.engine.errors import UserError
from wmframe.engine.runs.context import HISTORY, StageContext
from wmframe.engine.tracking.history import History
from wmframe.engine.tracking.progress import Bar
from wmframe.stages.resume import PlainCheckpoints

Precision = Literal["32-true", "bf16-mixed"]
"""As `Machine` has it."""

Batches = Callable[[list[int], int, int], "IterableDataset[Any]"]
"""The batches of steps start … stop, drawn from these episodes."""

_HISTORY = "history"
"""What Lightning's state calls the rows of the history."""

_HELD_OUT = 8
"""How many batches of held-out episodes are measured on."""


def fit(
    module: pl.LightningModule,
    steps: int,
    batches: Batches,
    split: Split,
    context: StageContext,
    *,
    seed: int,
    precision: Precision,
) -> None:
    """Fit a module for `steps` batches, or go on where an interrupted fit of the same result stood.

    `split` are the episodes to fit on and those held out, on which it is measured now and then: on 8 batches that are
    drawn once, and which it must leave as they are. No weight depends on that. The module is left in evaluation mode on
    the CPU.
    """
    if steps == 0:
        module.eval()
        return
    fit_on, held_out = split
    folder = context.resume / "fit"
    checkpoints = PlainCheckpoints(context.key)
    begun = _restored(checkpoints, folder, context)
    every = _steps_between_measurements(steps)
    with (
        context.history(begun or 0) as history,
        context.progress.stage(context.name, total=steps, unit="steps", start=begun or 0) as bar,
        warnings.catch_warnings(),
    ):
        _quieten()
        trainer = pl.Trainer(
            max_steps=steps,
            max_epochs=1,
            accelerator="gpu" if context.machine.device.type == "cuda" else "cpu",
            devices=1,
            precision=precision,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            val_check_interval=every,
            check_val_every_n_epoch=None,
            plugins=[checkpoints],
            callbacks=[
                _StepSeed(seed),
                _Finite(),
                _Record(history, bar, max(steps // 100, min(steps, 25) // 5, 1), context.output / HISTORY),
                _Save(str(folder), context.machine.save_seconds, every),
            ],
        )
        trainer.fit(
            module,
            _loader(batches(fit_on, begun or 0, steps)),
            _loader(list(batches(held_out, 0, _HELD_OUT))),
            ckpt_path=None if begun is None else str(folder),
            weights_only=True,
        )
    module.cpu().eval()


def _steps_between_measurements(steps: int) -> int:
    """Return them for a fit of so many steps: it is measured 20 times, or 10 times if it has less than 1,000 steps, of
    which 20 measurements would take a tenth; one of less than 250 steps every 25.
    """
    return max(steps // 20, min(steps // 10, 50), min(steps, 25))


def _restored(checkpoints: PlainCheckpoints, folder: Path, context: StageContext) -> int | None:
    """Return the step at which there is a state to go on from, its history put in place, or None."""
    saved = checkpoints.saved(folder, context.say)
    if saved is None:
        return None
    write_atomic(context.output / HISTORY, saved.callbacks[_HISTORY]["rows"])
    return saved.step


class _StepSeed(pl.Callback):
    """Make every draw of a step a function of (seed, step), so that no random state needs saving."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def on_train_batch_start(self, trainer: pl.Trainer, module: pl.LightningModule, *_: Any) -> None:
        self._begin(module, trainer.global_step)

    def on_validation_batch_start(
        self, trainer: pl.Trainer, module: pl.LightningModule, batch: Any, index: int, *_: Any
    ) -> None:
        self._begin(module, index)

    def _begin(self, module: pl.LightningModule, step: int) -> None:
        # Each device that is not there costs `torch.manual_seed` a walk through the stack, for an error to come.
        seed = torch.default_generator.manual_seed if module.device.type == "cpu" else torch.manual_seed
        seed(self._seed * 1_000_003 + step)


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
    """Write what the module logged, every few steps and after each measurement of held-out batches.

    The rows are part of the state to go on from: nothing vouches for the file itself before it is published.
    """

    state_key = _HISTORY

    def __init__(self, history: History, bar: Bar, every: int, file: Path) -> None:
        self._history, self._bar, self._every, self._file = history, bar, every, file

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self._file.read_text()}

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
    """Keep the state to continue from, every so many seconds, and when asked to stop.

    Measured is after every `every` steps, and Lightning forgets a measurement that was still to come when the state was
    saved: at such a step the state is saved after it, and for the while of the measurement one step before.
    """

    def __init__(self, folder: str, seconds: float, every: int) -> None:
        self._folder, self._seconds, self._every = folder, seconds, every
        self._last = time.monotonic()

    def on_train_start(self, *_: Any) -> None:
        signals.retake()  # Lightning has a handler of its own, which ends the process without saving

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        failpoints.reach("fit.step")
        if trainer.global_step % self._every != 0:
            self._offer(trainer, save=(trainer.global_step + 1) % self._every == 0)

    def on_validation_batch_end(self, *_: Any) -> None:
        failpoints.reach("fit.measured")
        signals.check()

    def on_validation_end(self, trainer: pl.Trainer, *_: Any) -> None:
        self._offer(trainer, save=False)

    def _offer(self, trainer: pl.Trainer, *, save: bool) -> None:
        """Save if it is due, and stop if asked to."""
        if save or signals.asked() or time.monotonic() - self._last >= self._seconds:
            trainer.save_checkpoint(self._folder, weights_only=False)
            self._last = time.monotonic()
        signals.check()


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
