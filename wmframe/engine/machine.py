"""Who computes: the schema of conf/trainer.

Only precision is in keys. The number of threads can change the last bits of a fit, and a GPU's are its own, so the
promise that a killed stage ends with the same bits holds for one machine and one number of threads.
"""

import ctypes
import os
import sys
from dataclasses import dataclass
from typing import Final, Literal

import torch
from pydantic import PositiveInt

from wmframe.engine.errors import UserError

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_MAX: Final = -4
"""What glibc's malloc.h calls them."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The device, its precision, and how many processes step environments.

    `accelerator` auto takes a GPU where there is one. `precision` is in the key of what is fitted; bf16-mixed is for
    GPUs (trainer=gpu), on a CPU it was measured tens of times slower. `threads` and `workers` default to the cores
    there are. Resume state is written every `save_seconds`.
    """

    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    threads: PositiveInt | None = None
    workers: PositiveInt | None = None
    save_seconds: PositiveInt = 60

    @property
    def device(self) -> torch.device:
        """Where tensors live. Raises UserError if a GPU was asked for and none is there."""
        if self.accelerator == "cpu" or (self.accelerator == "auto" and not torch.cuda.is_available()):
            return torch.device("cpu")
        if not torch.cuda.is_available():
            raise UserError(
                "trainer.accelerator=gpu, but PyTorch sees no GPU. Use trainer.accelerator=auto, or run "
                "`wmframe doctor` to see what PyTorch found.",
                exit_code=1,
            )
        return torch.device("cuda")

    @property
    def environment_workers(self) -> int:
        """How many processes step environments."""
        return self.workers if self.workers is not None else cores()

    def settle(self) -> None:
        """Give PyTorch its threads; once per process, before any work.

        Denormal numbers count as zero: a V whose output saturates fills its gradients with them, which was measured
        to slow its steps five times.
        """
        torch.set_flush_denormal(True)
        torch.set_num_threads(self.threads if self.threads is not None else cores())
        _keep_freed_memory()


def _keep_freed_memory() -> None:
    """Let glibc keep what is freed for the next step, rather than give it back and have the kernel clear it again.

    A step of M frees and takes hundreds of megabytes, and was measured to take a third longer without this
    (`docs/performance.md`). Other C libraries are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
