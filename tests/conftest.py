"""What every test may rely on: quiet threads, and OpenMP told so before torch is imported."""

import os

# One thread each, because the suite runs in several processes; and no spinning, because machines are shared.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("WANDB_MODE", "offline")
