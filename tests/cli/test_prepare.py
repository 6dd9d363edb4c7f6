import sys
from pathlib import Path

import pytest

from tests.engine.config.toy_house import EXPERIMENT, House, write_house
from wmframe.cli.overrides import parse
from wmframe.cli.prepare import prepare
from wmframe.engine.config.bind import ConfigError
from wmframe.engine.errors import UserError

ALLOW = ["--allow", "toyhouse"]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """The miniature house, on sys.path."""
    monkeypatch.syspath_prepend(tmp_path)
    return write_house(tmp_path)


def test_one_command_is_one_job(house: House) -> None:
    (job,) = prepare(parse([*ALLOW, "seed=3"]), conf=house.conf, target=EXPERIMENT)
    assert job.overrides == ("seed=3",)
    assert job.config["seed"] == 3
    assert job.experiment.arguments["seed"] == 3
    assert "toyhouse" not in sys.modules


def test_a_sweep_is_many_jobs_with_their_own_overrides(house: House) -> None:
    jobs = prepare(parse([*ALLOW, "-m", "seed=1,2", "rounds=2"]), conf=house.conf, target=EXPERIMENT)
    assert [job.overrides for job in jobs] == [("seed=1", "rounds=2"), ("seed=2", "rounds=2")]


def test_the_last_job_of_a_sweep_is_checked_before_the_first_runs(house: House) -> None:
    with pytest.raises(UserError) as caught:
        prepare(parse([*ALLOW, "-m", "seed=1,2,-1", "rounds=2"]), conf=house.conf, target=EXPERIMENT)
    assert str(caught.value).startswith("job 3 (seed=-1): seed=-1: must be an integer >= 0")


def test_targets_outside_the_allow_list_are_refused(house: House) -> None:
    with pytest.raises(ConfigError, match="targets may come from wmframe only"):
        prepare(parse([]), conf=house.conf, target=EXPERIMENT)


@pytest.mark.parametrize(
    ("target", "said"),
    [("os.system", "targets may come from wmframe, toyhouse only"), ("toyhouse.parts.Vae", "Vae .* is not a Recipe")],
)
def test_the_config_may_name_no_target_but_a_recipe(house: House, target: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        prepare(parse([*ALLOW, f"_target_={target}"]), conf=house.conf, target=EXPERIMENT)


def test_a_folder_of_the_users_and_a_module_of_the_users(house: House) -> None:
    mine = house.yaml("vision/wide", "_target_: toyhouse.parts.Vae\nlatent_size: 8\nwidth: 4\n")
    arguments = [*ALLOW, "--config-dir", str(mine), "vision=wide"]
    (job,) = prepare(parse(arguments), conf=house.conf, target=EXPERIMENT)
    assert job.experiment.plain()["vision"] == {
        "_target_": "toyhouse.parts.Vae", "latent_size": 8, "width": 4.0, "kl_floor": 0.5,
    }  # fmt: skip
