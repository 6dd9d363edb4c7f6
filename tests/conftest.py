"""What every test may rely on: one thread, OpenMP told not to spin, and wandb without a network."""

import os
from collections.abc import Iterator

import pytest

# Before torch is imported. The suite runs in several processes, and threads that wait for each other cost more than
# they bring on tensors this small.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("WANDB_MODE", "offline")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Undo what a test did to PyTorch's threads and arithmetic, without importing torch for tests that do not."""
    import sys

    yield
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(1)
        torch.set_flush_denormal(False)  # hypothesis refuses to draw floats where there are no small ones
