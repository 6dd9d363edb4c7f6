"""Runs that are killed again and again, step by step and at random times: each ends with the bits of a quiet one."""

import itertools
import random
import shutil
import time
from pathlib import Path

import pytest

from tests.runs import SMOKE, hashes
from tests.torture.conftest import Figure
from tests.torture.forge import Forge
from tests.torture.scale import FULL, times
from tests.torture.test_kill_matrix import CODES, begun

STEPWISE = ("run", *SMOKE, "memory.steps=50", "search.generations=6")
"""Fifty steps of M, measured after 25 and 50."""

SLOW = (
    "run",
    *SMOKE,
    *("vision.steps=100", "memory.steps=150", "search.generations=30", "search.population=16"),
    *("world.horizon=40", "evaluate.episodes=12", "trainer.save_seconds=1"),
)
"""Some six seconds of work, state kept every second."""

KILLS = times(6, 3)
"""Kills in a chain of random times."""

CHAINS = times(80, 1)


@pytest.fixture(scope="module")
def golden(forge: Forge, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nobody interrupted."""
    root = tmp_path_factory.mktemp("golden")
    code, said = forge.run(*STEPWISE, f"paths.root={root}")
    assert code == 0, said
    return root


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "fault", "least"),
    [
        # Whoever is stopped in a measurement begins with the step before it: one step a process would lead nowhere.
        # SIGKILL saves nothing: what was saved before a measurement, at step 24 and 49, is all that is gained.
        ("memory", f"fit.step:{times(2, 25)}:SIGTERM", times(20, 2)),
        *([("memory", "fit.step:5:SIGTERM", 9), ("memory", "fit.step:26:SIGKILL", 2)] if FULL else []),
        ("controller", "search.generation:SIGKILL", 6),
        ("controller", f"rollout.step:{times(4, 25)}:SIGTERM", 1),
    ],
)
def test_stopped_again_and_again_in_one_epoch_and_in_every_generation(
    forge: Forge, golden: Path, tmp_path: Path, stage: str, fault: str, least: int, figure: Figure
) -> None:
    """Each process gets a little further: the chain has an end because what is saved is kept."""
    begun(golden, tmp_path, stage)
    command = (*STEPWISE, f"paths.root={tmp_path}")
    kills = 0
    if "rollout" in fault:  # a generation that is stopped in its middle begins anew, so this chain would have no end
        for _ in range(times(8, 2)):
            kills += forge.run(*command, fault=fault)[0] == 143
        fault = "none:SIGKILL"
    while (code := forge.run(*command, fault=fault)[0]) != 0:
        assert code in CODES.values()
        kills += 1
        assert kills <= 60, "no step is gained"
    assert kills >= least
    assert hashes(tmp_path) == hashes(golden)
    figure("stops in one stage", kills)


@pytest.fixture(scope="module")
def quiet(forge: Forge, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, dict[str, str]], float]:
    """The hashes of a run that nobody interrupted, and the seconds that it took."""
    root = tmp_path_factory.mktemp("quiet")
    began = time.monotonic()
    code, said = forge.run(*SLOW, f"paths.root={root}")
    assert code == 0, said
    found = hashes(root), time.monotonic() - began
    shutil.rmtree(root)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("chain", range(CHAINS))
def test_killed_at_random_times_a_run_ends_with_the_same_bits(
    forge: Forge, quiet: tuple[dict[str, dict[str, str]], float], tmp_path: Path, chain: int, figure: Figure
) -> None:
    whole, seconds = quiet
    chance = random.Random(chain)
    command = (*SLOW, f"paths.root={tmp_path}")
    stood = []
    for _ in range(KILLS):
        child = forge.start(*command)
        time.sleep(chance.uniform(0.1, seconds / 3))
        sent = chance.choice(("SIGKILL", "SIGKILL", "SIGTERM", "SIGINT"))
        child.send({"SIGKILL": 9, "SIGTERM": 15, "SIGINT": 2}[sent])
        asked = time.monotonic()
        code = forge.finish(child)
        if code == 0 or "\npage: " in child.said():
            break  # it was quicker: nothing is left to stop of a run that has ended, whatever its process dies of
        assert code == CODES[sent], child.said()
        assert time.monotonic() - asked < 10
        assert forge.left(after=10) == []
        stood.append(standing(tmp_path))
    code, said = forge.run(*command)
    assert code == 0, said
    assert hashes(tmp_path) == whole
    assert not list(tmp_path.glob("artefacts/*/*.work"))
    same = [one for one, other in itertools.pairwise(stood) if one == other]
    figure("kills", len(stood))
    figure("two kills within one epoch", sum(where.startswith(("vision", "memory")) for where in same))
    figure("two kills within one generation", sum(where.startswith("controller") for where in same))
    shutil.rmtree(tmp_path)


def standing(root: Path) -> str:
    """Where a run was when it was killed: the epoch of a fit, the generation of a search."""
    for stage in ("vision", "memory"):
        if list(root.glob(f"artefacts/{stage}/*.work/resume/fit/state.json")):
            return f"{stage}, its one epoch"
    for ledger in root.glob("artefacts/controller/*.work/resume/generations.jsonl"):
        return f"controller, generation {ledger.read_bytes().count(bytes([10]))}"
    return ""
