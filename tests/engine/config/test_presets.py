"""Any file of any group goes with any preset: presets set only keys that every file of a group has."""

from itertools import product

import pytest

from wmframe.cli.overrides import Invocation
from wmframe.cli.prepare import prepare
from wmframe.engine.config.shipped import choices

SWAPPED = ["env", "collect", "vision", "memory", "controller", "world", "search", "finetune", "trainer", "tracker"]


def options(group: str) -> list[str]:
    return choices()[group]


CASES = [
    (preset, f"{group}={option}") for preset, group in product(options("preset"), SWAPPED) for option in options(group)
]


@pytest.mark.parametrize(("preset", "choice"), CASES, ids=" ".join)
def test_every_choice_binds_under_every_preset(preset: str, choice: str) -> None:
    (job,) = prepare(Invocation((f"preset={preset}", choice)))
    assert job.experiment.part("memory").arguments["action_size"] == job.experiment.part("env").arguments["action_size"]


@pytest.mark.parametrize("experiment", options("experiment"))
@pytest.mark.parametrize("preset", options("preset"))
def test_every_experiment_has_a_smoke_twin(experiment: str, preset: str) -> None:
    (job,) = prepare(Invocation((f"experiment={experiment}", f"preset={preset}")))
    assert job.experiment.arguments["name"] == experiment.replace("/", "_")
