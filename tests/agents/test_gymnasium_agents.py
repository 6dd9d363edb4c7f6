import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

import wmframe.register
from tests.engine.runs.toy_run import DREAMING, HORIZON, toy_run
from wmframe.engine.errors import UserError
from wmframe.engine.runs.runs import Run

DREAM = "wmframe/Dream-v0"

FRESH = """
import sys
import gymnasium
{imported}
assert "torch" not in sys.modules, "registering imported torch"
env = gymnasium.make("{prefix}wmframe/Dream-v0", run="runs/latest")
env.reset(seed=0)
env.step(env.action_space.sample())
envs = gymnasium.make_vec("{prefix}wmframe/Dream-v0", num_envs=64, run="runs/latest")
print(*envs.reset(seed=0)[0].shape)
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return toy_run(tmp_path_factory.mktemp("lent"), *DREAMING)


@pytest.mark.parametrize(("imported", "prefix"), [("import wmframe.register", ""), ("", "wmframe.register:")])
def test_a_fresh_process_dreams_a_run_by_its_path(run: Run, imported: str, prefix: str) -> None:
    code = FRESH.format(imported=imported, prefix=prefix)
    done = subprocess.run([sys.executable, "-c", code], cwd=run.root, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("64 24\n", 0), done.stderr


@pytest.mark.filterwarnings("ignore:.*A Box observation space m..imum value is -?infinity:UserWarning")
def test_gymnasium_finds_nothing_wrong_with_what_it_makes(run: Run) -> None:
    check_env(gymnasium.make(DREAM, run=str(run.folder)).unwrapped)


def test_a_run_by_name_with_other_settings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.root)
    settings: dict[str, Any] = {"temperature": 0.5, "horizon": 3, "allowed": ("tests",)}
    env = gymnasium.make(DREAM, run=run.name, render_mode="rgb_array_list", **settings)
    env.reset(seed=0)
    steps, over = 0, False
    while not over:
        _, _, terminated, truncated, _ = env.step(np.zeros(1, np.float32))
        steps, over = steps + 1, terminated or truncated
    assert steps == 3 != HORIZON
    frames = env.render()
    assert isinstance(frames, list)
    assert [np.shape(frame) for frame in frames] == [(64, 64, 3)] * (steps + 1)
    envs = gymnasium.make_vec(
        DREAM, num_envs=2, run="latest", autoreset_mode="SameStep", render_mode="rgb_array", **settings
    )
    assert envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    first, _ = envs.reset(seed=0)
    np.testing.assert_allclose(first[0], env.reset(seed=0)[0], atol=1e-6)


def test_mistakes_are_told_as_everywhere(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"world\.temperature=-1: must be"):
        gymnasium.make(DREAM, run=str(run.folder), temperature=-1)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="no run 'latest'"):
        gymnasium.make_vec(DREAM, num_envs=2, run="latest")


def test_the_registering_module_registers() -> None:
    assert wmframe.register.__doc__ is not None
    assert DREAM in gymnasium.registry
    assert DREAM in wmframe.register.__doc__
