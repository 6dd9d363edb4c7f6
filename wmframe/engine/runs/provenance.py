"""Where a result came from: an allow-listed set of facts about the code, the machine and the command.

Comes in: the device, the seed and the overrides of a run. Goes out: plain data for manifests and run.json.
Called by the pipeline. The environment is never read, nor paths, host or user names: manifests are shared,
and secrets live there.
"""

import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    "wmframe",
    "torch",
    "pytorch-lightning",
    "hydra-core",
    "omegaconf",
    "gymnasium",
    "box2d",
    "nevergrad",
    "cma",
    "numpy",
    "h5py",
    "safetensors",
    "pillow",
    "wandb",
)
"""The distributions whose version can change a result or a file."""

_GIT_SECONDS = 10
_SECRET = re.compile(r"(?i)(?:key|token|secret|password|passwd|credential)[^=]*=")


def provenance(*, device: str, seed: int, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Return plain data that says where a result came from.

    `device` is where the arithmetic ran ("cpu", "cuda"), `overrides` what was typed, kept `without_secret`. Never
    raises: a fact that cannot be had is None.
    """
    return {
        "git": git_state(Path(__file__).resolve().parents[3]),
        "packages": packages(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": cpu_model(),
        "device": device,
        "seed": seed,
        "overrides": [without_secret(override) for override in overrides],
    }


@cache
def packages() -> dict[str, str | None]:
    """Return the installed version of each of `PACKAGES`, None for those that are not installed."""
    return {name: _version(name) for name in PACKAGES}


def git_state(checkout: Path) -> dict[str, Any] | None:
    """Return the commit of `checkout` and whether files were changed since; None unless it is the top of a
    git checkout.
    """
    top = _git(checkout, "rev-parse", "--show-toplevel")
    # An installed package may lie inside somebody's repository, whose commit would say nothing about this
    # code.
    if top is None or Path(top) != checkout:
        return None
    commit, changes = _git(checkout, "rev-parse", "--verify", "HEAD"), _git(checkout, "status", "--porcelain")
    if commit is None or changes is None:
        return None
    return {"commit": commit, "dirty": changes != ""}


@cache
def cpu_model() -> str | None:
    """Return the processor's name as the system tells it, or None."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or None
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine() or None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _git(checkout: Path, *arguments: str) -> str | None:
    program = shutil.which("git")
    if program is None:
        return None
    # --no-optional-locks: a status must not fight with a commit that somebody makes meanwhile.
    command = [program, "--no-optional-locks", "-C", str(checkout), *arguments]
    try:
        # The arguments are constants of this file, and no shell reads them.
        done = subprocess.run(command, capture_output=True, text=True, timeout=_GIT_SECONDS, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout.strip()


def without_secret(override: str) -> str:
    """Return an override as it may be kept: the value of one whose name speaks of a secret is replaced by `…`."""
    name = _SECRET.search(override)
    return override if name is None else f"{override[: name.end()]}…"
