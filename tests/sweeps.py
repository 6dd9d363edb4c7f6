"""Sweeps for tests: hardly any work a job, one that can be made to fail, and what is left of them on disk."""

from pathlib import Path

from tests.runs import SMOKE
from wmframe.engine.runs.sweeps import Sweep, find_sweep

PLUGINS = Path(__file__).parent / "plugins"

TINY = (
    *SMOKE,
    *("vision.latent_size=4", "vision.steps=4", "memory.steps=4", "search.population=4", "search.generations=2"),
    *("search.select_rollouts=2", "evaluate.episodes=2"),
)
"""Every stage of the toy, at hardly any size."""

FRAGILE = ("--allow", "fragile_controller", "--config-dir", str(PLUGINS / "conf"), "controller=fragile")
"""What chooses the controller that fails where `controller.breaks` says."""


def the_sweep(root: Path) -> Sweep:
    """The sweep that was gone on with last."""
    return find_sweep("latest", sweeps=root / "sweeps")


def ends(sweep: Sweep) -> dict[str, int]:
    """How many jobs stand how."""
    states = [job.state for job in sweep.jobs()]
    return {state: states.count(state) for state in sorted(set(states))}


def runs(root: Path) -> list[str]:
    """The names of all runs, `latest` left out."""
    return sorted(path.name for path in (root / "runs").iterdir() if not path.is_symlink())
