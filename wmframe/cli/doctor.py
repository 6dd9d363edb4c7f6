"""`wmframe doctor`: what this machine has, and what would go wrong on it."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from wmframe.engine.errors import UserError

HELP = """Check this machine: packages, devices, disk, rendering.

usage: wmframe doctor

Every line is "ok" or says what is wrong and what to do. The exit code is 1 if anything is wrong.
"""

_FLOORS = {"torch": (2, 10), "pytorch-lightning": (2, 6, 6), "hydra-core": (1, 3, 8), "gymnasium": (1, 4)}
"""Below these, loading a file may execute it (advisories in docs/dependencies.md), or the fast track is another."""

_POISON = ("hydra-nevergrad-sweeper", "hydra-ax-sweeper")
"""Plugins that break every Hydra app on Python 3.11 merely by being installed."""


def execute(arguments: Sequence[str]) -> int:
    """Run every check and print its line."""
    if arguments:
        raise UserError(f"doctor takes no arguments\n{HELP.rstrip()}")
    checks: dict[str, Callable[[], str]] = {
        **{f"package {name}": partial(_package, name) for name in _FLOORS},
        "hydra plugins": _plugins,
        "device": _device,
        "disk": _disk,
        "folder": _folder,
        "real track": _track,
    }
    wrong = 0
    for name, check in checks.items():
        try:
            print(f"ok     {name}: {check()}")
        except UserError as error:
            wrong += 1
            print(f"WRONG  {name}: {error}")
    return 1 if wrong else 0


def _package(name: str) -> str:
    try:
        found = version(name)
    except PackageNotFoundError:
        raise UserError(f"not installed: pip install {name}") from None
    floor = _FLOORS[name]
    if tuple(int(part) for part in found.split("+")[0].split(".")[: len(floor)] if part.isdecimal()) < floor:
        wanted = ".".join(map(str, floor))
        raise UserError(f"{found} is too old: pip install '{name}>={wanted}'")
    return found


def _plugins() -> str:
    for name in _POISON:
        try:
            version(name)
        except PackageNotFoundError:
            continue
        raise UserError(f"{name} breaks every Hydra app on this Python: pip uninstall {name}")
    return "none that break Hydra"


def _device() -> str:
    import torch

    from wmframe.engine.machine import cores

    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()}; trainer=auto will use it"
    return f"no GPU that PyTorch {torch.__version__} sees; {cores()} cores"


def _disk() -> str:
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    if free < 2:
        raise UserError(f"{free:.1f} GiB free here; a quick CarRacing run needs about 2")
    return f"{free:.0f} GiB free here"


def _folder() -> str:
    try:
        with tempfile.TemporaryDirectory(dir=Path.cwd()):
            return f"{Path.cwd()} can be written to"
    except OSError as error:
        raise UserError(f"{Path.cwd()} cannot be written to ({error.strerror}); set paths.root") from error


def _track() -> str:
    from wmframe.envs.car_racing import CarRacing

    try:
        environment = CarRacing().make()
        frame, _ = environment.reset(seed=0)
        environment.close()
    except ImportError as error:
        raise UserError(f"{error}: pip install 'gymnasium[box2d]'") from error
    return f"drawn without a screen, {frame.shape[0]} by {frame.shape[1]}"
