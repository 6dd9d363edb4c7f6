"""A key of before is answered with what it is called now, and a run of before is refused in a sentence."""

from pathlib import Path

import pytest

from wmframe.cli.main import main
from wmframe.cli.prepare import EXPERIMENT
from wmframe.engine.config.bind import bind
from wmframe.engine.config.compose import compose
from wmframe.engine.durability.checksummed import write_vouched_text
from wmframe.engine.errors import UserError
from wmframe.engine.graph.recipe import nodes_of
from wmframe.engine.runs.runs import create_run

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("typed", "now"),
    [
        ("later_rounds.climbs=4", "later.climbs"),
        ("+later_rounds.vision=refit", "later.vision"),
        ("later_rounds.refit_rounds=[3]", "later.vision and later.memory"),
        ("later_rounds.chosen=awake", "select.chosen"),
        ("later_rounds.select_episodes=4", "select.episodes"),
        ("later_rounds.trials=true", "select.trials"),
        ("last_round.start_pay=0.5", "last.start_pay"),
        ("last_round=null", "last"),
        ("finish=awake", "finetune"),
        ("finish.search.sigma=0.1", "finetune.search.sigma"),
    ],
)
def test_a_key_of_before_is_answered_with_what_it_is_called_now(typed: str, now: str, capsys: Capture) -> None:
    assert main(["plan", "env=toy", "preset=smoke", typed]) == 2
    said = capsys.readouterr().err
    key, _, value = typed.removeprefix("+").partition("=")
    assert said.startswith(f"wmframe: {key}={value}: {key} is called {now}")


def test_every_answer_is_a_key_that_there_is(capsys: Capture) -> None:
    for now in ("later.climbs=4", "select.chosen=awake", "select.episodes=4", "select.trials=true", "finetune=real"):
        assert main(["plan", "experiment=toy", "preset=smoke", "search=gradient", "rounds=2", now]) == 0
    assert main(["plan", "env=toy", "preset=smoke", "later_round.climbs=4"]) == 2
    assert "Did you mean later.climbs" in capsys.readouterr().err


def test_a_run_of_before_is_refused_in_a_sentence(tmp_path: Path) -> None:
    experiment = bind(compose(["env=toy", "preset=smoke"]), target=EXPERIMENT)
    run = create_run(tmp_path, "toy", experiment, nodes_of(experiment))
    assert run.experiment(("wmframe",)) == experiment
    before = run.config().partition("\n")[2].replace("recipes.phases.PhaseSettings", "recipes.rounds.LaterRounds")
    write_vouched_text(run.folder / "config.yaml", before, "run")
    with pytest.raises(UserError, match=r"another version of wmframe, which had a wmframe\.recipes\.rounds"):
        run.experiment(("wmframe",))
