import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import wmframe
from tests.engine.config.toy_house import House
from wmframe.engine.config.compose import compose, composing, expand
from wmframe.engine.config.shipped import conf_dir
from wmframe.engine.errors import UserError


def complaint(house: House, *overrides: str, folders: tuple[Path, ...] = ()) -> str:
    with pytest.raises(UserError) as caught:
        compose(overrides, conf=house.conf, folders=folders)
    text = str(caught.value)
    assert len(text.splitlines()) <= 10
    assert "+key" not in text
    assert "hydra.cc" not in text
    return text


def test_interpolations_are_resolved_and_values_plain(house: House) -> None:
    config = compose(["vision.latent_size=16"], conf=house.conf)
    assert config["memory"] == {"_target_": "toyhouse.parts.Memory", "latent_size": 16, "mixtures": 5}
    assert type(config["vision"]) is dict
    assert "hydra" not in config
    assert "toyhouse.parts" not in sys.modules


def test_composing_leaves_no_trace(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    compose([], conf=house.conf)
    assert Path.cwd() == tmp_path
    assert sorted(tmp_path.rglob("*")) == before


def test_presets_and_experiments_change_other_groups(house: House) -> None:
    config = compose(["experiment=car_racing", "preset=smoke"], conf=house.conf)
    assert config["name"] == "car"
    assert isinstance(config["env"], dict)
    assert config["env"]["id"] == "CarRacing-v3"
    assert config["search"] == {"_target_": "toyhouse.parts.Search", "population": 2}


def test_a_key_that_no_file_mentions_needs_no_plus(house: House) -> None:
    config = compose(["vision.width=2"], conf=house.conf)
    assert isinstance(config["vision"], dict)
    assert config["vision"]["width"] == 2


def test_folders_of_the_user_add_options(house: House) -> None:
    mine = house.yaml("vision/wide", "_target_: toyhouse.parts.Vae\nlatent_size: 8\nwidth: 4\n")
    for overrides, folders in (
        (["vision=wide"], [mine]),
        (["vision=wide", f"hydra.searchpath=[file://{mine}]"], []),
    ):
        config = compose(overrides, conf=house.conf, folders=folders)
        assert isinstance(config["vision"], dict)
        assert config["vision"]["width"] == 4
    assert "Did you mean vision=wide?" in complaint(house, "vision=wid", folders=(mine,))


def test_a_folder_with_an_awkward_name_is_found(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "it's, [mine] a=b"
    (folder / "vision").mkdir(parents=True)
    (folder / "vision" / "wide.yaml").write_text("_target_: toyhouse.parts.Vae\nlatent_size: 8\n")
    config = compose(["vision=wide"], conf=house.conf, folders=[folder])
    assert isinstance(config["vision"], dict)
    assert config["vision"]["latent_size"] == 8


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("env=carracing", "Did you mean env=car_racing?"),
        ("experiment=nope", "experiment is one of car_racing"),
        ("vision=3", "vision is one of small, vae"),
        ("env=[a,b]", "env is one of car_racing, toy"),
        ("vision", "type vision=VALUE"),
        ("a b=1", "cannot be read as key=value"),
        ("vision.latent_size=[1,2", "cannot be read as key=value"),
        ("vision.latent_size=1,0", "add -m"),
        ("+env=toy", "type env=VALUE, without the +"),
        ("+vision.latent_size=3", "type vision.latent_size=VALUE, without the +"),
        ("~vison", "Did you mean vision?"),
        ("~vision.latent_siz", "Did you mean vision.latent_size?"),
        ("~vision", "vision is one of small, vae"),
        ("vision@here=vae", "key=value or group=option"),
        ("hydra.ouput_subdir=x", "hydra.searchpath"),
        ("hydra/launcher=joblib", "hydra.searchpath"),
        ("hydra.searchpath=3", "must be a list"),
        ("hydra.searchpath=[file:///nowhere]", "/nowhere is not a folder"),
        ("vision.latent_size=${vison.width}", "refers to ${vison.width}"),
        ("memory.mixtures=${vison.latent_size}", "Did you mean vision.latent_size"),
        ("vision.latent_size=${vision.latent_size}", "vision.latent_size: Recursive interpolation"),
        ("collect.policies=[1]", "collect.policies=[1]: not the kind of value"),
        ("seed=???", "type seed=VALUE"),
    ],
)
def test_overrides_gone_wrong(house: House, override: str, expected: str) -> None:
    text = complaint(house, override)
    assert expected in text
    assert "use +" not in text


@pytest.mark.parametrize("resolver", ["${oc.env:HOME}", "a-${oc.env:HOME}", "${${name}:HOME}", "${oc.decode:1}"])
def test_no_resolver_is_called(house: House, resolver: str) -> None:
    text = complaint(house, "name=oc.env", f"paths.root='{resolver}'")
    assert "no resolvers" in text
    assert os.environ["HOME"] not in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"_target_: a.B\n\twidth: 1\n", "indent with spaces"),
        (b"a: 1\na: 2\n", "duplicate key a"),
        (b"a: \xff\xfe\n", "is not UTF-8"),
        (b"a: !!python/object/apply:os.system [true]\n", "constructor for the tag"),
        (b"- 1\n- 2\n", "holds a list"),
        (b"defaults:\n  - wings: broad\n", "asked for by vision/bad.yaml"),
        (b"a: [1, 2\n", "not a YAML file"),
        (b"_target_: a.B\nlatent_size: ${vision.b}\nb: ${vision.latent_size}\n", "Recursive interpolation"),
    ],
)
def test_files_gone_wrong(house: House, text: bytes, expected: str) -> None:
    mine = house.yaml("vision/bad", text)
    message = complaint(house, "vision=bad", folders=(mine,))
    assert expected in message
    assert "bad" in message or "vision" in message


def test_an_alias_bomb_is_refused_before_it_is_unfolded(house: House) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    mine = house.yaml("vision/bomb", "\n".join(lines) + "\n")
    assert "too many aliases" in complaint(house, "vision=bomb", folders=(mine,))


def test_honest_aliases_are_read(house: House) -> None:
    mine = house.yaml("vision/twice", "_target_: toyhouse.parts.Vae\nlatent_size: &n 4\nwidth: *n\n")
    config = compose(["vision=twice"], conf=house.conf, folders=[mine])
    assert isinstance(config["vision"], dict)
    assert config["vision"]["width"] == 4


def test_a_folder_that_was_no_folder_of_configs_is_refused(house: House, tmp_path: Path) -> None:
    crowd = tmp_path / "crowd"
    crowd.mkdir()
    for index in range(2001):
        (crowd / f"{index}.txt").touch()
    assert "too many files" in complaint(house, folders=(crowd,))


def test_a_main_folder_without_its_config(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no config\.yaml"):
        compose([], conf=tmp_path)


def test_the_shipped_folder_is_found() -> None:
    assert conf_dir().name == "conf"
    assert conf_dir().is_dir()


def test_in_a_wheel_the_folder_is_inside_the_package(tmp_path: Path) -> None:
    """A wheel has conf/ at wmframe/conf, with no repository around it."""
    package = Path(wmframe.__file__).parent
    leave = shutil.ignore_patterns("__pycache__", "conf")
    shutil.copytree(package, tmp_path / "site" / "wmframe", ignore=leave)
    shutil.copytree(conf_dir(), tmp_path / "site" / "wmframe" / "conf")
    imports = "from wmframe.engine.config.compose import compose; from wmframe.engine.config.shipped import conf_dir"
    script = f"{imports}; compose([]); print(conf_dir())"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)
    assert done.stdout.strip() == str(tmp_path / "site" / "wmframe" / "conf"), done.stderr


def test_a_sweep_is_the_product_of_its_axes(house: House) -> None:
    jobs = expand(["world.temperature=0.5,1", "seed=range(0,2)", "vision=glob(*)", "name=a"], conf=house.conf)
    assert len(jobs) == 8
    assert jobs[0] == ["world.temperature=0.5", "seed=0", "vision=small", "name=a"]
    assert jobs[-1] == ["world.temperature=1", "seed=1", "vision=vae", "name=a"]


def test_globs_see_the_users_options_too(house: House) -> None:
    mine = house.yaml("vision/wide", "_target_: toyhouse.parts.Vae\nlatent_size: 8\n")
    jobs = expand(["vision=glob(*)"], conf=house.conf, folders=[mine])
    assert jobs == [["vision=small"], ["vision=vae"], ["vision=wide"]]


def test_a_sweep_over_nothing_is_one_job(house: House) -> None:
    assert expand(["seed=1", "~experiment"], conf=house.conf) == [["seed=1", "~experiment"]]


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("seed=interval(0,1)", "interval"),
        ("seed=range(0,1000000000)", "more than 10,000"),
        ("vision=glob(z*)", "0 jobs"),
        ("seed=choice(", "cannot be read"),
    ],
)
def test_sweeps_gone_wrong(house: House, override: str, expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        expand([override], conf=house.conf)


def test_a_sweep_too_large_is_counted_not_listed(house: House) -> None:
    axes = [f"{key}=range(0,1000)" for key in ("seed", "rounds", "search.population")]
    with pytest.raises(UserError, match="1,000,000,000 jobs"):
        expand(axes, conf=house.conf)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="vison.latent_size=+~@/,[]{}()${}:'\"\\ 01é\n\t", max_size=24))
def test_any_text_at_all_gets_an_answer(house: House, text: str) -> None:
    answer = ""
    try:
        compose([text], conf=house.conf)
    except UserError as error:
        answer = str(error)
    assert len(answer.splitlines()) <= 10


def test_jobs_composed_together_are_those_composed_apart(house: House) -> None:
    """Files are read once for all of them; nothing of one job is left in the next."""
    jobs = [
        [],
        ["vision=small", "memory.mixtures=3"],
        ["preset=smoke", "experiment=car_racing"],
        ["vision.width=2", "~experiment"],
        ["env={id: CarRacing-v3}", "vision=small"],
        ["vision.latent_size=16"],
        [],
    ]
    apart = [compose(job, conf=house.conf) for job in jobs]
    with composing(conf=house.conf) as one:
        assert [one(job) for job in jobs] == apart
