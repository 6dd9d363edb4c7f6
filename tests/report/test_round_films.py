"""The rounds' agents filmed: in a run as a user types it, and out of collections of any length."""

import io
import shutil
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.report.examples import frames
from tests.runs import SMOKE, record, run
from wmframe.agents.agent import load_agent
from wmframe.cli.main import main
from wmframe.cli.prepare import EXPERIMENT
from wmframe.collect.driving import UNPERTURBED
from wmframe.data.episodes import EpisodeReader, ShardWriter
from wmframe.engine.config.bind import bind
from wmframe.engine.config.compose import compose
from wmframe.engine.graph.node import Node
from wmframe.engine.graph.stage import declaration
from wmframe.engine.runs.runner import Order, Show
from wmframe.engine.runs.runner import run as run_order
from wmframe.engine.runs.runs import FILM_FOLDER, NEWEST_FILM, Run
from wmframe.engine.store.artefact import Artefact, Request
from wmframe.engine.store.store import Store
from wmframe.engine.tracking.progress import Progress
from wmframe.report.film import real_episode
from wmframe.report.gather import gather
from wmframe.report.round_films import film_round, round_films
from wmframe.stages import declared

ALLOWED = ("wmframe",)


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(run(*SMOKE, "rounds=3", root=tmp_path_factory.mktemp("rounds")))


def films(of: Run) -> dict[str, Path]:
    return {path.stem: path for path in (of.folder / FILM_FOLDER).glob("*")}


def length(path: Path) -> int:
    with Image.open(path) as film:
        return getattr(film, "n_frames", 1)


def collection(root: Path, episodes: Sequence[tuple[str, int, float]], number: int = 2) -> Artefact:
    """Publish the collection of a round, each episode a policy, its steps and its return."""

    def produce(work: Path) -> None:
        with ShardWriter(work / "output" / "driver-0000.h5", len(episodes)) as writer:
            for lane, (policy, steps, earned) in enumerate(episodes):
                for step, frame in enumerate(frames(steps + 1, seed=lane)):
                    if step > 0:
                        writer.step(lane, np.zeros(1, np.float32), earned / steps)
                    writer.frame(lane, frame)
                known = {"seed": lane, "source": "driver", "origin": "dream-trained driver", "policy": policy}
                writer.finish(lane, {**known, "backend": "wmframe-toy-1", "limit": 200, "terminated": False})

    return Store(root / "artefacts").obtain(Request(stage="collect", code_version=1, config={"round": number}), produce)


def filmed(folder: Path, artefact: Artefact, number: int = 2) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    node = Node(f"collect.{number}", declaration(declared.collect), {}, {})
    return film_round(Run(folder), node, artefact, allowed=ALLOWED)


def test_every_rounds_agent_is_filmed_and_the_newest_has_a_name_of_its_own(rounds: Run) -> None:
    found = films(rounds)
    assert set(found) == {"round_1", "round_2", "agent"}
    newest = rounds.folder / f"{NEWEST_FILM}{found['agent'].suffix}"
    assert newest.read_bytes() == found["agent"].read_bytes()
    assert not newest.is_symlink()


def test_a_round_is_shown_as_it_was_recorded_for_the_next(rounds: Run) -> None:
    [collect] = (stage["key"] for stage in record(rounds.folder)["stages"] if stage["name"] == "collect.2")
    with closing(EpisodeReader([rounds.root / "artefacts" / "collect" / collect])) as reader:
        driven = [(i.episode_return, i.steps) for i in reader.episodes if i.policy == UNPERTURBED]
    median = sorted(driven)[(len(driven) - 1) // 2]
    assert length(films(rounds)["round_1"]) <= median[1] + 1  # equal pictures are one
    assert length(films(rounds)["round_1"]) > 1


def test_the_finished_agents_film_is_the_first_episode_that_was_scored(rounds: Run) -> None:
    found, agent = record(rounds.folder), load_agent(rounds, allowed=ALLOWED)
    env = agent.env.reference()
    _, rewards = real_episode(agent.driver.in_double(), env, found["seeds"][0], env.most_steps)
    assert float(rewards.sum(dtype=np.float64)) == pytest.approx(found["scores"]["reality"]["returns"][0], rel=1e-5)


def test_the_page_shows_them_round_by_round(rounds: Run) -> None:
    shown = gather(rounds, allowed=ALLOWED).films
    assert [film.title for film in shown] == ["round 1's agent", "round 2's agent", "the finished agent"]
    page = (rounds.folder / "report.html").read_text()
    places = [page.index(f"Film of {title} driving") for title in ("round 1&#39;s agent", "round 2&#39;s agent")]
    assert places == sorted(places)


def test_who_runs_it_is_told_where_they_lie(rounds: Run, capsys: pytest.CaptureFixture[str]) -> None:
    again = run(*SMOKE, "rounds=3", root=rounds.root)
    said = capsys.readouterr().err
    assert f"a film of round 1's agent: {again}/{FILM_FOLDER}/round_1." in said
    assert f"a film of the finished agent: {again}/{FILM_FOLDER}/agent." in said
    assert {path.read_bytes() for path in films(Run(again)).values()} == {
        path.read_bytes() for path in films(rounds).values()
    }, "cached results are filmed like new ones"


@pytest.mark.parametrize("count", [0, 1])
def test_a_run_without_a_second_round_has_none(
    rounds: Run, tmp_path: Path, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    finish = [
        "finetune=real",
        *(f"finetune.search.{key}" for key in ("generations=1", "population=3", "check_every=1")),
    ]
    more = [] if count == 1 else [f"first_driver={rounds.folder}", *finish, "finetune.search.select_rollouts=1"]
    folder = run(*SMOKE, f"rounds={count}", *more, root=tmp_path)
    assert not (folder / FILM_FOLDER).exists()
    assert "a film of" not in capsys.readouterr().err
    assert "The agent, round by round" not in (folder / "report.html").read_text()


def test_jobs_of_a_sweep_are_filmed_each_in_its_own_run(rounds: Run) -> None:
    root = rounds.root
    assert main(["run", "-m", *SMOKE, "rounds=2", "world.temperature=0.5,1.0", f"paths.root={root}"]) == 0
    jobs = sorted(root.glob("runs/*/config.yaml"), key=lambda path: path.stat().st_mtime)[-2:]
    assert [set(films(Run(job.parent))) for job in jobs] == [{"round_1", "agent"}] * 2


def test_a_film_that_fails_ends_no_run(tmp_path: Path) -> None:
    stream = io.StringIO()

    def show(folder: Run, node: Node, artefact: Artefact) -> str:
        (folder.folder / FILM_FOLDER).write_text("in the way") if node.name == "collect.1" else None
        return film_round(folder, node, artefact, allowed=ALLOWED)

    finished = _run_with(show, tmp_path, stream)
    assert finished.record().state == "finished"
    assert "collect.2 could not be shown (FileExistsError:" in stream.getvalue()


def _run_with(show: Show, root: Path, stream: io.StringIO) -> Run:
    overrides = [*SMOKE, "rounds=2", f"paths.root={root}"]
    experiment = bind(compose(overrides), target=EXPERIMENT)
    order = Order(experiment=experiment, overrides=overrides, command="wmframe run", allowed=ALLOWED)
    return run_order(order, Progress(stream), lambda *_: None, show=show)


def test_of_several_episodes_the_median_one_is_shown_and_no_perturbed_one(tmp_path: Path) -> None:
    told = [("driver_perturbed_0", 3, 100.0), *((UNPERTURBED, 4 + n, 10.0 * n) for n in (2, 0, 1))]
    filmed(tmp_path / "runs" / "a", collection(tmp_path, told))
    assert length(films(Run(tmp_path / "runs" / "a"))["round_1"]) == 4 + 1 + 1


def test_where_every_episode_was_perturbed_that_is_said_and_nothing_shown(tmp_path: Path) -> None:
    said = filmed(tmp_path / "runs" / "a", collection(tmp_path, [("driver_mean_0.3", 3, 1.0)]))
    assert said == "no film of round 1's agent: it drove no episode without noise or exploration"
    assert films(Run(tmp_path / "runs" / "a")) == {}


@pytest.mark.parametrize(("steps", "shown"), [(199, 200), (200, 101), (1000, 167)])
def test_a_long_episode_is_shown_in_steps_to_stay_small(tmp_path: Path, steps: int, shown: int) -> None:
    filmed(tmp_path / "runs" / "a", collection(tmp_path, [(UNPERTURBED, steps, 1.0)]))
    [path] = films(Run(tmp_path / "runs" / "a")).values()
    assert length(path) == shown
    assert path.stat().st_size < 2_000_000


def test_many_rounds_are_thinned_out_and_stand_in_order(tmp_path: Path) -> None:
    of, artefact = Run(tmp_path / "runs" / "a"), collection(tmp_path, [(UNPERTURBED, 2, 1.0)])
    filmed(of.folder, artefact)
    [one] = films(of).values()
    for number in range(2, 31):
        shutil.copy(one, one.with_stem(f"round_{number}"))
    shutil.copy(one, one.with_stem("agent"))
    titles = [film.title for film in round_films(of)]
    assert len(titles) == 12
    assert (titles[0], titles[-1]) == ("round 1's agent", "the finished agent")
    numbers = [int(title.split()[1].removesuffix("'s")) for title in titles[:-1]]
    assert numbers == sorted(numbers)


def test_files_that_are_no_films_are_not_shown(tmp_path: Path) -> None:
    of = Run(tmp_path / "runs" / "a")
    assert round_films(of) == []
    filmed(of.folder, collection(tmp_path, [(UNPERTURBED, 2, 1.0)]))
    [one] = films(of).values()
    one.with_stem("round_2").write_bytes(b"RIFF")
    one.with_stem("round_3").write_bytes(one.read_bytes()[:100])
    one.with_stem("holiday").write_bytes(one.read_bytes())
    (one.parent / "round_4.webp").mkdir()
    assert [film.title for film in round_films(of)] == ["round 1's agent"]
