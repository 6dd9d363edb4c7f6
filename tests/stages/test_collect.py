"""The collect stage: one collection, one backend."""

import json
from pathlib import Path

import pytest

from tests.data.shards import write
from tests.runs import SMOKE
from wmframe.cli.prepare import EXPERIMENT
from wmframe.collect.collection import Collection
from wmframe.engine.config.bind import bind
from wmframe.engine.config.compose import compose
from wmframe.engine.errors import UserError
from wmframe.engine.graph.recipe import nodes_of
from wmframe.engine.machine import Machine
from wmframe.engine.runs.context import StageContext
from wmframe.engine.tracking.progress import Progress
from wmframe.envs.spec import EnvSpec
from wmframe.stages import collect


@pytest.fixture
def context(tmp_path: Path) -> StageContext:
    """The first node of a small run on the toy, about to begin in an empty folder."""
    node = nodes_of(bind(compose(list(SMOKE)), target=EXPERIMENT))[0]
    (tmp_path / "output").mkdir()
    (tmp_path / "resume").mkdir()
    return StageContext(
        name=node.name,
        key=node.key,
        config=node.config,
        work=tmp_path,
        machine=Machine(workers=1),
        allowed=("wmframe",),
        progress=Progress(None),
        listener=lambda row: None,
    )


def _collect(context: StageContext) -> None:
    sources, env = context.build("collect", Collection), context.build("env", EnvSpec)
    collect.run(context, collect=sources, env=env, seed=0, round=1)


def test_a_collection_says_what_recorded_it(context: StageContext) -> None:
    _collect(context)
    assert json.loads((context.output / "summary.json").read_text())["backends"] == ["wmframe-toy-1"]


def test_a_collection_begun_on_something_else_is_not_gone_on_with(context: StageContext) -> None:
    """As after an upgrade between a kill and the next start."""
    shard = write(context.output / "brownian-0000.h5", [3], backend="wmframe-toy-0")
    before = shard.read_bytes()
    context.kept.add(shard)
    with pytest.raises(UserError, match=r"begun on wmframe-toy-0, but this is wmframe-toy-1.* or delete") as caught:
        _collect(context)
    assert caught.value.exit_code == 1
    assert [path.read_bytes() for path in context.output.iterdir()] == [before]
