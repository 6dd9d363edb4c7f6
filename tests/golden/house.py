"""All that the goldens ask of the house itself. Where a wall moves, this file follows it, and no recording does.

Everything is asked for by command lines, folders and names of files, and answered in the goldens' own terms.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import wmframe
from tests.golden.graphs import Graph, Node, flat
from wmframe.agents.zoo import entries
from wmframe.cli.main import COMMANDS, main
from wmframe.cli.overrides import parse
from wmframe.cli.prepare import prepare
from wmframe.engine.config.bind import bind
from wmframe.engine.config.component import Component
from wmframe.engine.config.compose import composing, expand
from wmframe.engine.config.shipped import choices
from wmframe.engine.durability.files import read_json
from wmframe.engine.graph import node as engine
from wmframe.engine.graph.recipe import RECIPE, nodes_of
from wmframe.engine.store.keys import excluded

FIRST_DRIVER = "first_driver"
"""What the goldens call the stage of an agent that was there before."""


def options() -> dict[str, list[str]]:
    """Return the files of every group of the shipped config."""
    return choices()


def jobs(words: Sequence[str]) -> list[list[str]]:
    """Return the words of every job of a sweep."""
    return expand(words)


def graphs(recipes: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Graph]]:
    """Yield the stage graph of every recipe, given as the words of a command."""
    with composing() as compose:
        for recipe, words in recipes.items():
            yield recipe, _graph(nodes_of(bind(compose(words), kind=RECIPE)))


def _graph(nodes: Sequence[engine.Node]) -> Graph:
    """Return the nodes with all that they are made of, an agent that is there already included."""
    found: dict[str, Node] = {}
    for node in nodes:
        for parent in node.parents.values():
            if parent.published:
                found[parent.name] = Node(FIRST_DRIVER, {"key": parent.published}, {})
        found[node.name] = Node(node.stage.name, flat(in_key(_plain(node.config))), _parents(node))
    return found


def _plain(config: Mapping[str, object]) -> dict[str, Any]:
    """Return what a node was told, as plain data: fields that its key leaves out at a value are there."""
    return {name: value.plain() if isinstance(value, Component) else value for name, value in config.items()}


def _parents(node: engine.Node) -> dict[str, tuple[str, ...]]:
    """Return the parents' names by role, those of one role in the order of their numbers."""
    numbered: dict[str, dict[int, str]] = {}
    for named, parent in node.parents.items():
        role, _, number = named.partition(".")
        numbered.setdefault(role, {})[int(number or 0)] = parent.name
    return {role: tuple(names[number] for number in sorted(names)) for role, names in numbered.items()}


def in_key(config: Mapping[str, Any], path: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return what of a node's config its key is made of.

    Fields that a key leaves out at a value which changes nothing are there: they count like all others.
    """
    return {
        name: in_key(value, (*path, name)) if isinstance(value, Mapping) else value
        for name, value in config.items()
        if not excluded((*path, name))
    }


def command(*arguments: str) -> int:
    """Run a command in this process, in the working directory, and return its exit code."""
    return main(arguments)


def train(words: Sequence[str]) -> None:
    """Make a run in the working directory, without a page or films."""
    from wmframe.engine.runs.runner import Order, run
    from wmframe.engine.tracking.progress import Progress

    [job] = prepare(parse(words))
    order = Order(experiment=job.experiment, overrides=tuple(words), command="wmframe run", allowed=("wmframe",))
    run(order, Progress(io.StringIO()), lambda *_: None)


def results(words: Sequence[str]) -> dict[str, str]:
    """Return the folders of all results of a run in the working directory, by their nodes' names."""
    [job] = prepare(parse(words))
    return {node.name: f"artefacts/{node.stage.name}/{node.key}" for node in nodes_of(job.experiment)}


def newest_run(project: Path) -> str:
    """Return the name of a project's newest run."""
    return (project / "runs" / "latest").resolve().name


def commands() -> list[str]:
    """Return the names of all commands."""
    return list(COMMANDS)


def shipped_agents() -> dict[str, Path]:
    """Return the folders of the agents that wmframe ships, by the names that commands take."""
    return {named: Path(wmframe.__file__).parent / named for named in entries()}


def scores(project: Path) -> list[dict[str, Any]]:
    """Return what a project's score files say: the seeds, and by world each one's return and length."""
    return [read_json(path) for path in sorted(project.glob("artefacts/*/*/scores.json"))]


def rescore(agent: str, *, first_seed: int, episodes: int) -> list[dict[str, Any]]:
    """Score a shipped agent again, in the working directory, and return what the new score files say."""
    assert main(["evaluate", agent, f"episodes={episodes}", f"first_seed={first_seed}"]) == 0
    seeds = list(range(first_seed, first_seed + episodes))
    return [found for found in scores(Path()) if found["seeds"] == seeds]
