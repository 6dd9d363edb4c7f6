from pathlib import Path

import pytest

from wmframe.cli.overrides import Invocation, parse
from wmframe.cli.values import parse_values
from wmframe.engine.errors import UserError


def test_flags_and_overrides_are_parted(tmp_path: Path) -> None:
    arguments = ["a=1", "-m", "--config-dir", str(tmp_path), "--allow=mine.parts", "b=-1", "--allow", "yours"]
    assert parse(arguments) == Invocation(
        ("a=1", "b=-1"), multirun=True, folders=(tmp_path,), allowed=("wmframe", "mine.parts", "yours")
    )


def test_nothing_is_assumed() -> None:
    assert parse([]) == Invocation(())
    assert not parse(["a=1,2"]).multirun
    assert parse(["--multirun"]).multirun


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--alow", "x"], "Did you mean --allow?"),
        (["--multi-run"], "Did you mean --multirun?"),
        (["--allow"], "needs a value"),
        (["--allow", "-m"], "needs a value"),
        (["--allow", "os; rm"], "dotted name"),
        (["--allow", ""], "dotted name"),
        (["--config-dir", "nowhere"], "no such folder"),
        (["--config-dir="], "no such folder"),
        (["--vision.latent_size=3"], "type vision.latent_size=3"),
        (["-q"], "-q is no flag"),
        (["--"], "-- is no flag"),
        (["-m=1"], "-m takes no value"),
    ],
)
def test_flags_gone_wrong(arguments: list[str], expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        parse(arguments)


def test_commands_that_take_a_run_know_fewer_flags() -> None:
    given = parse_values(["latest", "--allow=mine", "steps=3"], {"steps": "1"}, most_names=1, usage="")
    assert (given.names, given.whole("steps"), given.allowed) == (("latest",), 3, ("wmframe", "mine"))
    with pytest.raises(UserError, match="-m is no flag here"):
        parse_values(["latest", "-m"], {}, most_names=1, usage="")
