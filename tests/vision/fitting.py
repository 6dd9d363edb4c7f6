"""Fit a module for a few steps as the stages do: with Lightning, on the CPU, writing nothing."""

import logging
import warnings
from collections.abc import Sequence
from typing import Any

import pytorch_lightning as pl
from torch.utils.data import DataLoader


def fit_a_little(module: pl.LightningModule, batches: Sequence[Any]) -> dict[str, float]:
    """Take one step a batch; returns what the module logged last."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*does not have many workers.*", UserWarning)
        warnings.filterwarnings("ignore", ".*LeafSpec.*", FutureWarning)  # Lightning's own, not ours
        trainer = pl.Trainer(
            max_steps=len(batches),
            max_epochs=1,
            accelerator="cpu",
            devices=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
        )
        loader: DataLoader[Any] = DataLoader(batches, batch_size=None)  # type: ignore[arg-type]
        trainer.fit(module, loader, DataLoader(batches[:1], batch_size=None))  # type: ignore[arg-type]
    return {name: float(value) for name, value in trainer.callback_metrics.items()}
