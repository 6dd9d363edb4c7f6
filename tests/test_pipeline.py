"""The whole path on the toy: what is computed once, what survives a kill, and that a dream teaches."""

import json
import os
import re
import shutil
import signal
import statistics
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.runs import SMOKE, hashes, record, run, start, states
from wmframe.agents.find import find_run
from wmframe.cli.main import main
from wmframe.data.episodes import EpisodeReader
from wmframe.engine.config.bind import Component
from wmframe.engine.durability.files import read_json
from wmframe.engine.graph.stage import declaration
from wmframe.engine.runs.context import HISTORY
from wmframe.engine.tracking.history import read
from wmframe.envs.car_racing import CarRacing
from wmframe.envs.toy import Toy
from wmframe.stages import declared
from wmframe.stages.evaluate import asleep
from wmframe.stages.models import agent_parts, load_controller, load_driver
from wmframe.vision.contract import Latent
from wmframe.vision.conv_vae import ConvVAE
from wmframe.worlds.settings import DreamSettings

CPU = torch.device("cpu")
PLUGINS = Path(__file__).parent / "plugins"
TOY = ("experiment=toy", "tracker=none", "trainer.threads=1", "trainer.workers=1")
STAGES = {"collect.1", "vision.1", "latents.1_1", "memory.1", "controller.1", "agent", "baseline", "evaluate"}


def share_of_optimum(folder: Path, world: str = "reality") -> float:
    """The mean return as a share of what any policy could have had on the same episodes."""
    env = find_run(str(folder)).experiment(("wmframe",)).arguments["env"]
    assert isinstance(env, Component)
    toy = Toy(**env.arguments)  # type: ignore[arg-type]
    found = record(folder)
    earned: float = sum(found["scores"][world]["returns"])
    return earned / sum(toy.optimal_return(seed) for seed in found["seeds"])


@pytest.mark.slow
def test_drivers_trained_only_in_the_dream_drive_and_those_with_shuffled_rewards_do_not(tmp_path: Path) -> None:
    # A driver that could learn nothing may walk the right way by luck (one seed of six does): hence two.
    controls = []
    for seed in ("seed=1", "seed=2"):
        dreamer = run(*TOY, seed, root=tmp_path)
        assert share_of_optimum(dreamer) >= 0.8
        climber = run(*TOY, seed, "search=gradient", "search.updates=100", root=tmp_path)
        assert share_of_optimum(climber) >= 0.8
        shuffled = run(*TOY, seed, "memory.shuffle_rewards=true", root=tmp_path)
        controls.append(share_of_optimum(shuffled))
    assert sum(controls) / 2 < 0.75
    assert {name for name, state in states(shuffled).items() if state == "cached"} == {
        "collect.1",
        "vision.1",
        "latents.1_1",
        "baseline",
    }


def test_the_same_command_computes_nothing_twice(tmp_path: Path) -> None:
    first = run(*SMOKE, root=tmp_path)
    assert states(first) == dict.fromkeys(STAGES, "ran")
    second = run(*SMOKE, root=tmp_path)
    assert states(second) == dict.fromkeys(STAGES, "cached")
    assert record(first)["scores"] == record(second)["scores"]
    assert first != second


def test_a_temperature_sweep_shares_all_that_temperature_cannot_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "-m", *SMOKE, f"paths.root={tmp_path}", "world.temperature=0.5,1.0,1.15"]) == 0
    printed = capsys.readouterr()
    for stage in ("collect", "vision", "latents", "memory", "baseline"):
        assert len(list((tmp_path / "artefacts" / stage).glob("*/manifest.json"))) == 1
    assert len(list((tmp_path / "artefacts" / "controller").glob("*/manifest.json"))) == 3
    assert printed.err.count("memory.1: cached") == 2
    assert [line.split()[2] for line in printed.out.splitlines() if " finished " in line] == [
        "world.temperature=0.5",
        "world.temperature=1.0",
        "world.temperature=1.15",
    ]


def test_a_second_round_collects_with_the_first_rounds_driver(tmp_path: Path) -> None:
    once = run(*SMOKE, root=tmp_path)
    twice = run(*SMOKE, "rounds=2", root=tmp_path)
    found = states(twice)
    assert found["collect.1"] == found["controller.1"] == "cached"
    assert found["collect.2"] == found["memory.2"] == found["controller.2"] == "ran"
    assert "vision.2" not in found
    assert "latents.1_2" in found
    assert record(once)["stages"][-1]["key"] != record(twice)["stages"][-1]["key"]


def test_an_agent_of_another_project_drives_in_the_first_round(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """V and M begin afresh on what it records; the page says where it came from, and what it had seen."""
    before = run(*SMOKE, root=tmp_path / "before")
    driven = (*SMOKE, "collect=driven", "~collect.first.astray", "collect.first.steady.episodes=8", "name=driven")
    folder = run(*driven, f"first_driver={before}", root=tmp_path)
    found = {stage["name"]: stage for stage in record(folder)["stages"]}
    assert {stage["state"] for stage in found.values()} == {"ran"}
    [agent] = (stage["key"] for stage in record(before)["stages"] if stage["stage"] == "agent")
    summary = read_json(tmp_path / "artefacts/collect" / found["collect.1"]["key"] / "summary.json")
    assert summary["episodes"] == {"random": 16, "driver from elsewhere": 8}
    recorded = read_json(before.parents[1] / "artefacts/agent" / agent / "agent.json")["recorded"]
    assert summary["inherited_frames"] == sum(data["environment_frames"] for data in recorded) > 0
    assert f"had learned from {summary['inherited_frames']:,} frames before" in (folder / "report.html").read_text()
    shutil.rmtree(tmp_path / "before")
    again = run(*driven, f"first_driver='{before}@{agent}'", root=tmp_path)
    assert set(states(again).values()) == {"cached"}, "the agent itself was brought along"
    assert main(["run", *driven, f"first_driver={before}", f"paths.root={tmp_path}"]) == 2
    assert f"first_driver: no run '{before}'" in capsys.readouterr().err


GOES_ON = ("first.vision=keep", "first.memory=continue", "first.controller=continue")


def test_round_1_may_take_up_the_agent_that_drives_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """V is the agent's, and M and C are too where they have no steps to take; with some, they go on from there."""
    before = run(*SMOKE, root=tmp_path)
    few = ("collect=driven", "~collect.first.astray", "collect.first.steady.episodes=8", "name=driven")
    driven = (*SMOKE, *few, f"first_driver={before.name}", *GOES_ON)
    weights = {}
    for name, budgets in (
        ("kept", ("first.memory_steps=0", "first.generations=0")),
        ("continued", ("first.memory_steps=2", "first.generations=1")),
    ):
        folder = run(*driven, *budgets, root=tmp_path)
        weights[name] = _weights(tmp_path, folder)
        assert {"vision_of.1", "memory_of.1", "controller_of.1"} <= set(states(folder))
        assert "vision.1" not in states(folder)
    was = _weights(tmp_path, before)
    assert weights["kept"] == was
    assert weights["continued"]["vision"] == was["vision"]
    assert weights["continued"]["memory"] != was["memory"]
    assert weights["continued"]["controller"] != was["controller"]
    assert main(["run", *driven, "memory.hidden_size=9", f"paths.root={tmp_path}"]) == 2
    assert "first.memory=continue: this M cannot continue from the one that there is" in capsys.readouterr().err


def _weights(root: Path, run: Path) -> dict[str, bytes]:
    [key] = (stage["key"] for stage in record(run)["stages"] if stage["stage"] == "agent")
    agent = root / "artefacts" / "agent" / key
    return {part: (agent / part / "weights.safetensors").read_bytes() for part in ("vision", "memory", "controller")}


def test_a_first_driver_of_another_environment_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*SMOKE, "collect=driven", "first_driver=zoo/car_racing_pure", f"paths.root={tmp_path}"]
    assert main(["run", *arguments]) == 2
    said = capsys.readouterr().err
    assert "first_driver: its actions have 3 parts, this environment's 1. Name an agent that was trained in it" in said


def test_a_first_driver_that_acts_at_another_rate_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["experiment=car_racing/again", "tracker=none", "first_driver=zoo/car_racing_pure"]
    assert main(["run", *arguments, "env.action_repeat=2", f"paths.root={tmp_path}"]) == 2
    assert "it acts every 4 frames, and here env.action_repeat=2" in capsys.readouterr().err
    assert not list(tmp_path.glob("artefacts/collect/*.work/*.h5")), "nothing was recorded"


def test_rounds_on_two_versions_of_an_environment_are_said_aloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(*SMOKE, root=tmp_path)
    assert "M learns from both" not in capsys.readouterr().err
    monkeypatch.setattr(Toy, "backend", "wmframe-toy-2")
    run(*SMOKE, "rounds=2", root=tmp_path)
    said = capsys.readouterr().err
    assert "collect.2 was recorded on wmframe-toy-2, the first round on wmframe-toy-1: M learns from both" in said


@pytest.mark.slow
def test_a_killed_run_ends_with_the_bits_of_an_uninterrupted_one(tmp_path: Path) -> None:
    """SIGKILL in the middle of V, of M and of C, each as soon as it has kept something to go on from."""
    slow = ["vision.steps=200", "memory.steps=600", "search.generations=60", "trainer.save_seconds=1"]
    arguments = [*SMOKE, *slow]
    whole = run(*arguments, root=tmp_path / "whole")
    broken = tmp_path / "broken"
    for kept in ("vision/*.work/resume/fit/state.json", "memory/*.work/resume/fit/state.json"):
        _kill_when(broken, kept, arguments)
    _kill_when(broken, "controller/*.work/resume/generations.jsonl", arguments)
    process = start(arguments, broken)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert hashes(broken) == hashes(tmp_path / "whole")
    assert record((broken / "runs" / "latest").resolve())["scores"] == record(whole)["scores"]


def _kill_when(root: Path, kept: str, arguments: list[str]) -> None:
    process = start(arguments, root)
    until = time.monotonic() + 300
    while time.monotonic() < until and process.poll() is None:
        if any(path.stat().st_size > 0 for path in root.glob(f"artefacts/{kept}")):
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.02)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, f"it ended before it could be killed at {kept}"


def test_a_memory_from_elsewhere_needs_one_file_and_one_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugins = Path(__file__).parent / "plugins"
    monkeypatch.syspath_prepend(str(plugins))
    mine = ["--allow", "gru_memory", "--config-dir", str(plugins / "conf"), "memory=gru"]
    folder = run(*SMOKE, *mine, root=tmp_path)
    assert set(states(folder)) == STAGES
    assert (folder / "report.html").is_file()
    assert main(["run", *SMOKE, f"paths.root={tmp_path}", *mine[2:]]) == 2, "not without --allow"


@pytest.mark.parametrize(
    ("words", "kills"),
    [
        (["memory=transformer", "env=corridor"], ["fit.step:12:SIGKILL", "memory.sealed:SIGKILL"]),
        (
            ["memory=rssm", "env=corridor", "search=gradient", "search.updates=4", "controller.senses=zhc"],
            ["memory.sealed:SIGKILL", "search.update:3:SIGTERM"],
        ),
        (
            ["memory=gru", "search=random_search", "collect=sweeping", "vision=none", "vision.latent_size=16"],
            ["rollout.step:10:SIGKILL", "controller.sealed:SIGKILL"],
        ),
    ],
    ids=["a transformer that chooses, seen in grey", "a state-space model", "a gru, collected and searched otherwise"],
)
def test_plugins_go_the_whole_way_and_a_kill_changes_no_bit(
    tmp_path: Path, words: list[str], kills: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file and one YAML each; nothing else of wmframe knows of any."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(PLUGINS), os.environ.get("PYTHONPATH", "")]))
    allowed = ("gru_memory", "transformer_memory", "rssm_memory", "corridor_env", "random_search", "sweeping_collect")
    mine = [*(word for name in allowed for word in ("--allow", name)), "--config-dir", str(PLUGINS / "conf"), *words]

    def finished(root: Path) -> Path:
        process = start([*SMOKE, *mine], root)
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said
        return (root / "runs" / "latest").resolve()

    whole = finished(tmp_path / "whole")
    assert set(states(whole)) == STAGES
    assert (whole / "report.html").is_file()
    for kill in kills:
        monkeypatch.setenv("WMFRAME_FAULT", kill)
        process = start([*SMOKE, *mine], tmp_path / "broken")
        process.communicate(timeout=300)
        assert process.returncode not in (0, 1, 2), f"it was to be killed at {kill}"
    monkeypatch.delenv("WMFRAME_FAULT")
    broken = finished(tmp_path / "broken")
    assert hashes(tmp_path / "broken") == hashes(tmp_path / "whole")
    assert record(broken)["scores"] == record(whole)["scores"]
    if "env=corridor" in words:
        told = recorded_actions(tmp_path / "whole")
        assert set(told.flatten()) == {0.0, 1.0}
        assert (told.sum(1) == 1).all(), "M hears of choices"


def recorded_actions(root: Path) -> np.ndarray:
    """Every action of every collection, (N, A)."""
    with closing(EpisodeReader(sorted((root / "artefacts" / "collect").iterdir()))) as reader:
        return np.concatenate([reader.steps(number).actions for number in range(len(reader.episodes))])


@pytest.mark.parametrize(
    "senses",
    [
        ["vision=none", "controller.senses=z", "memory=none", "world=reality"],
        ["memory=untrained", "world=reality", "memory.hidden_size=8"],
        ["controller=hidden", "controller.units=4", "controller.senses=zhc"],
    ],
    ids=["V and M absent, awake", "M untrained, awake", "hidden layer on [z; h; c], dreaming"],
)
def test_the_papers_baselines_run(tmp_path: Path, senses: list[str]) -> None:
    folder = run(*SMOKE, *senses, root=tmp_path)
    scores = record(folder)["scores"]
    assert ("dream" in scores) == ("world=reality" not in senses)
    assert len(scores["reality"]["returns"]) == len(scores["random"]["returns"]) == 4


def test_an_agent_that_nobody_scores_is_whole_and_may_be_scored_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run(*SMOKE, "evaluate=null", root=tmp_path)
    assert set(states(folder)) == STAGES - {"baseline", "evaluate"}
    page = (folder / "report.html").read_text()
    assert "Nothing has scored this run." in page
    assert "The dream beside reality" in page
    assert "scores" not in record(folder) or not record(folder)["scores"]
    assert main(["run", "-m", *SMOKE, "evaluate=null", "seed=0,1", f"paths.root={tmp_path}"]) == 0
    capsys.readouterr()
    assert main(["evaluate", "latest", "episodes=3", f"root={tmp_path}"]) == 0
    assert "reality mean=" in capsys.readouterr().out


def test_a_memory_that_cannot_dream_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *SMOKE, "memory=none", f"paths.root={tmp_path}"]) == 2
    assert "world=reality" in capsys.readouterr().err


def test_c_climbs_by_gradient_in_every_round_with_the_budgets_of_later_ones(tmp_path: Path) -> None:
    climb = ["search=gradient", "search.updates=6", "search.check_every=2"]
    later = ["later.updates=[4,3]", "later.learning_rate=0.003"]
    folder = run(*SMOKE, *climb, *later, "rounds=3", root=tmp_path)
    keys = [stage["key"] for stage in record(folder)["stages"] if stage["stage"] == "controller"]
    rows = [list(read(tmp_path / "artefacts" / "controller" / key / HISTORY)) for key in keys]
    assert [[row["step"] for row in each] for each in rows] == [[1, 2, 3, 4, 5, 6], [1, 2, 3, 4], [1, 2, 3]]
    assert all("controller/gradient_norm" in row for row in rows[0])
    assert [row["step"] for row in rows[0] if "controller/climbed_return" in row] == [2, 4, 6]
    assert "C: climbing by gradient" in (folder / "report.html").read_text()


FINISH = (
    *("finetune=real", "finetune.search.population=6", "finetune.search.generations=3"),
    *("finetune.search.select_rollouts=5", "finetune.search.returned=select"),
)


def test_a_c_that_dreamt_goes_on_awake_and_can_still_be_watched_dreaming(tmp_path: Path) -> None:
    folder = run(*SMOKE, "search=gradient", "search.updates=4", *FINISH, root=tmp_path)
    assert states(folder)["controller.1_awake"] == "ran"
    keys = [stage["key"] for stage in record(folder)["stages"] if stage["stage"] == "controller"]
    found = [tmp_path / "artefacts" / "controller" / key for key in keys]
    found += (tmp_path / "artefacts" / "agent").glob("*/controller")
    dreamt, awake, agent = (load_controller(one, allowed=("wmframe",), device=CPU)[1] for one in found)
    assert not torch.equal(dreamt, awake)
    assert torch.equal(awake, agent)
    page = (folder / "report.html").read_text()
    assert "The driver learned in its dream, and went on in reality;" in page
    # 3 generations of 6 candidates on 2 seeds, once 5 select seeds, 40 steps each
    assert "C was searched for awake on 1,640 environment frames at the most." in page
    assert main(["watch", str(folder), "world=dream", "steps=5", f"out={tmp_path / 'dream.webp'}"]) == 0


def test_a_finished_agent_goes_on_awake_as_if_it_had_never_been_finished(tmp_path: Path) -> None:
    before = run(*SMOKE, root=tmp_path)
    whole = run(*SMOKE, *FINISH, root=tmp_path)
    gone_on = run(*SMOKE, "rounds=0", f"first_driver={before.name}", *FINISH, root=tmp_path)
    assert states(gone_on) == {"controller.0_awake": "ran", "agent": "ran", "baseline": "cached", "evaluate": "ran"}
    agents = [
        tmp_path / "artefacts/agent" / stage["key"]
        for folder in (whole, gone_on)
        for stage in record(folder)["stages"]
        if stage["stage"] == "agent"
    ]
    first, second = (
        {path.relative_to(agent): path.read_bytes() for path in agent.rglob("*") if path.is_file()} for agent in agents
    )
    unlike = {str(path) for path in first if first[path] != second.get(path)}
    assert first.keys() == second.keys()
    assert unlike == {"manifest.json"}
    assert record(whole)["scores"] == record(gone_on)["scores"]
    page = (gone_on / "report.html").read_text()
    assert "went on in reality" in page
    assert f"V and M are those of {before.name}@" in page
    assert main(["watch", str(gone_on), "world=dream", "steps=5", f"out={tmp_path / 'dream.webp'}"]) == 0


@pytest.mark.parametrize(
    ("unlike", "said"),
    [
        (("vision.latent_size=7",), "its C is Linear of .* on zh, this config's Linear of .* on zh: one can't go on"),
        (("env.action_repeat=2",), "it acts every 1 frames, and here env.action_repeat=2"),
    ],
)
def test_a_finished_agent_that_does_not_fit_does_not_go_on(
    unlike: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = run(*SMOKE, root=tmp_path)
    arguments = ["run", *SMOKE, "rounds=0", f"first_driver={before.name}", *FINISH, *unlike, f"paths.root={tmp_path}"]
    assert main(arguments) == 2
    assert re.search(said, capsys.readouterr().err)


def test_on_the_track_there_is_nothing_to_climb_through(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *SMOKE, "search=gradient", "world=reality", f"paths.root={tmp_path}"]) == 2
    assert "search=cma" in capsys.readouterr().err
    assert not (tmp_path / "artefacts").exists()


def test_a_value_to_bootstrap_from_is_asked_for_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *SMOKE, "world.bootstrap=true", f"paths.root={tmp_path}"]) == 2
    assert "memory.value_steps=10" in capsys.readouterr().err
    assert main(["run", *SMOKE, "memory.value_steps=40", f"paths.root={tmp_path}"]) == 2
    assert "an episode lasts 40 steps at the most" in capsys.readouterr().err
    assert not list(tmp_path.glob("artefacts/*"))
    folder = run(*SMOKE, "world.bootstrap=true", "memory.value_steps=5", root=tmp_path)
    assert len(record(folder)["scores"]["dream"]["returns"]) == 4


def test_a_dreams_score_is_what_its_steps_paid_whether_c_was_searched_for_with_a_value_or_not(tmp_path: Path) -> None:
    run(*SMOKE, "memory.value_steps=3", "world.bootstrap=true", root=tmp_path)
    [agent] = (folder for folder in (tmp_path / "artefacts" / "agent").iterdir() if folder.is_dir())
    parts, seeds = agent_parts(agent), list(range(6))
    worlds = [DreamSettings(horizon=5, bootstrap=bootstrap) for bootstrap in (True, False)]
    with_value, without = (
        asleep(world, load_driver(parts, world=world, allowed=("wmframe",), device=CPU), parts.controller, seeds)
        for world in worlds
    )
    assert with_value == without
    assert any(without["dream"]["returns"])


def test_a_vision_that_cannot_be_scored_in_double_is_refused_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def encode(self: ConvVAE, frames: Tensor) -> Latent:
        return self._distribution(frames.permute(0, 3, 1, 2).float() / 255)

    monkeypatch.setattr(ConvVAE, "encode", encode)
    assert main(["run", *SMOKE, f"paths.root={tmp_path}"]) == 2
    assert "frames.to(self.dtype)" in capsys.readouterr().err
    assert not list(tmp_path.glob("artefacts/*"))


def test_evaluate_scores_other_seeds_and_trains_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run(*SMOKE, root=tmp_path)
    before = set(hashes(tmp_path))
    capsys.readouterr()
    assert main(["evaluate", str(folder), "episodes=6", "first_seed=1000"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("reality "))
    numbers = dict(part.split("=") for part in line.split()[1:])
    assert int(numbers["n"]) == 6
    assert {name.split("/")[0] for name in set(hashes(tmp_path)) - before} == {"baseline", "evaluate"}
    assert statistics.stdev(record(folder)["scores"]["reality"]["returns"]) != float(numbers["std"])


def test_evaluate_sets_drivers_side_by_side_on_the_same_episodes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, other = run(*SMOKE, root=tmp_path), run(*SMOKE, "env.action_repeat=2", root=tmp_path / "elsewhere")
    capsys.readouterr()
    assert main(["evaluate", str(first), str(other), "episodes=4", "first_seed=1000"]) == 0
    said = capsys.readouterr().out.splitlines()
    means = [float(line.split()[1].removeprefix("mean=")) for line in said if line.startswith("reality ")]
    assert len(means) == 2
    assert said[-1].startswith(f"{other} - {first}: higher in ")
    assert f"; {means[1] - means[0]:+.1f} on average" in said[-1]


def test_evaluate_does_not_set_side_by_side_what_drove_in_other_worlds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run(*SMOKE, root=tmp_path)
    arguments = ["evaluate", str(folder), "zoo/car_racing_pure", "episodes=4", f"root={tmp_path}"]
    assert main(arguments) == 2
    assert "zoo/car_racing_pure was made for CarRacing(action_size=3" in capsys.readouterr().err
    assert len(list(tmp_path.glob("artefacts/evaluate/*/scores.json"))) == 2, "each one's own, and nothing was scored"


def test_evaluate_keeps_to_the_recorded_agent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer wmframe whose stages have other code versions would train another; an old run can still be scored."""
    folder = run(*SMOKE, root=tmp_path)
    for stage in (declared.collect, declared.vision, declared.memory, declared.controller):
        monkeypatch.setitem(vars(declaration(stage)), "version", 1_000)
    assert main(["evaluate", str(folder), "episodes=3"]) == 0
    assert "n=3" in capsys.readouterr().out


@pytest.mark.slow
def test_the_real_track_takes_the_same_path(tmp_path: Path) -> None:
    short = [
        "env.max_frames=60",
        "env.action_repeat=4",
        "env=car_racing",
        "search.generations=2",
        "evaluate.episodes=2",
    ]
    folder = run("preset=smoke", "tracker=none", "collect=evolving", *_tiny_collection(), *short, root=tmp_path)
    assert set(states(folder)) == STAGES
    page = (folder / "report.html").read_text()
    assert "tracks" in page
    [collected] = [json.loads(path.read_text()) for path in tmp_path.glob("artefacts/collect/*/summary.json")]
    scored = [json.loads(path.read_text())["backend"] for path in tmp_path.glob("artefacts/*/*/scores.json")]
    assert len(scored) == 2
    assert set(scored) == {CarRacing(renderer="checked").backend}
    assert collected["backends"] == [CarRacing().backend]
    assert collected["backends"][0] in page


def _tiny_collection() -> list[str]:
    evolving = "collect.first.evolving.search"
    return [
        "collect.first.brownian.episodes=2",
        f"{evolving}.population=4",
        f"{evolving}.rollouts=1",
        f"{evolving}.generations=2",
    ]


def test_a_value_that_no_recorded_episode_is_long_enough_for_is_not_fitted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All sources cut their episodes off early, which is known when they have."""
    search = "collect.first.evolving.search"
    small = (f"{search}.population=4", f"{search}.rollouts=1", f"{search}.generations=1")
    short = ("collect=evolving", "collect.first.brownian.episodes=0", "collect.first.evolving.most_steps=6", *small)
    assert main(["run", *SMOKE, *short, "memory.value_steps=6", f"paths.root={tmp_path}"]) == 2
    assert "cut off after 6 steps" in capsys.readouterr().err
    run(*SMOKE, *short, "memory.value_steps=5", root=tmp_path)
