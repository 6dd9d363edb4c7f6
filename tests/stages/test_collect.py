"""The collect stage: one collection, one backend."""

import json
from pathlib import Path

import pytest

from tests.data.shards import write
from tests.runs import SMOKE
from wmframe.config.bind import bind
from wmframe.config.compose import compose
from wmframe.errors import UserError
from wmframe.pipeline.graph import TARGET, graph
from wmframe.stages import collect
from wmframe.stages.machine import Machine
from wmframe.stages.task import Task
from wmframe.tracking.progress import Progress


@pytest.fixture
def task(tmp_path: Path) -> Task:
    """The first node of a small run on the toy, about to begin in an empty folder."""
    node = graph(bind(compose(list(SMOKE)), target=TARGET))[0]
    (tmp_path / "output").mkdir()
    (tmp_path / "resume").mkdir()
    return Task(
        name=node.name,
        key=node.key,
        config=node.config,
        inputs={},
        work=tmp_path,
        machine=Machine(workers=1),
        allowed=("wmframe",),
        progress=Progress(None),
        listener=lambda row: None,
    )


def test_a_collection_says_what_recorded_it(task: Task) -> None:
    collect.run(task)
    assert json.loads((task.output / "summary.json").read_text())["backends"] == ["wmframe-toy-1"]


def test_a_collection_begun_on_something_else_is_not_gone_on_with(task: Task) -> None:
    """As after an upgrade between a kill and the next start."""
    shard = write(task.output / "brownian-0000.h5", [3], backend="wmframe-toy-0")
    before = shard.read_bytes()
    task.kept.add(shard)
    with pytest.raises(UserError, match=r"begun on wmframe-toy-0, but this is wmframe-toy-1.* or delete") as caught:
        collect.run(task)
    assert caught.value.exit_code == 1
    assert [path.read_bytes() for path in task.output.iterdir()] == [before]
