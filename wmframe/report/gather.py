"""From a run's folder to its page: read the artefacts, let V and M draw, write report.html.

A finished run comes in; `Contents` and the page go out. Called by `wmframe report` and `publish`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import FiniteFloat

from wmframe.agents.agent import load_agent, open_artefacts
from wmframe.agents.initial import code_of_agent
from wmframe.engine.config.bind import bind
from wmframe.engine.config.building import build_as, build_part
from wmframe.engine.config.component import Component, modules_in
from wmframe.engine.runs.planned import RunGraph
from wmframe.engine.runs.records import read_record
from wmframe.engine.runs.runs import Run, RunRecord
from wmframe.engine.store.artefact import Artefact
from wmframe.engine.store.reasons import edited
from wmframe.envs.spec import EnvSpec
from wmframe.report.contents import Contents, Score, StageRow
from wmframe.report.drawings import Pictures, draw_pictures
from wmframe.report.histories import awake_by_round, curves, trials_by_round
from wmframe.report.page import write
from wmframe.report.round_films import round_films
from wmframe.report.scoreboard import LABELS, in_order
from wmframe.search.settings import SearchSettings
from wmframe.worlds.settings import WorldSettings


@dataclass(frozen=True, kw_only=True)
class Collected:
    """What the page tells of a collection's summary.json."""

    mean_return_by_policy: dict[str, float]
    episodes: dict[str, int]
    environment_frames: int
    backends: list[str]
    inherited_frames: int = 0


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the page tells of agent.json. `earned` is by round and world."""

    round: int = 0
    earned: dict[str, dict[str, FiniteFloat]] = field(default_factory=dict)
    recorded: list[Collected] = field(default_factory=list)
    frames_tried_on: int = 0


def write_page(run: Run, *, allowed: Sequence[str]) -> Path:
    """Write a run's page into its folder."""
    return write(gather(run, allowed=allowed), run.folder / "report.html")


def gather(run: Run, *, allowed: Sequence[str]) -> Contents:
    """Read all that the page shows. Raises UserError if an artefact of the run is missing or damaged."""
    record, experiment = run.record(), run.experiment(allowed)
    artefacts = open_artefacts(run, record.stages)
    trained = record.published("agent")
    agent = artefacts[trained.name] if trained is not None else None
    told = Told() if agent is None else read_record(agent.file("agent.json"), Told, "what an agent says of itself")
    drawn = draw_pictures(load_agent(run, allowed=allowed), agent.path) if agent is not None else Pictures()
    played = isinstance(experiment.arguments.get("env"), Component)
    env = build_part(experiment, "env", EnvSpec, allowed=allowed) if played else None
    graph = run.graph()
    searches = list(_searches(graph, allowed))
    return Contents(
        title=run.name,
        subtitle=record.command,
        scores=_scores(record),
        metrics=record.metrics,
        curves=[
            *trials_by_round(told.earned, told.round),
            *awake_by_round([collected.mean_return_by_policy for collected in told.recorded]),
            *curves({name: artefact.path / "history.jsonl" for name, artefact in artefacts.items()}),
        ],
        stages=[
            StageRow(s.name, s.key, s.state, s.seconds, list(artefacts[s.name].manifest["parents"].values()))
            for s in record.stages
        ],
        config=experiment.plain(),
        provenance=record.provenance,
        notes=[
            *_gone_on(graph),
            *_notes(told),
            *(_searched_awake(searches, env) if env is not None else []),
            *(_edited(experiment, agent, allowed) if agent is not None else []),
        ],
        learned_in=_learned_in(experiment, searches, allowed),
        episodes="episodes" if env is None else env.episodes,
        reconstructions=drawn.reconstructions,
        prior_samples=drawn.prior_samples,
        canvas=drawn.canvas,
        dream=drawn.dream,
        dream_curves=drawn.dream_curves,
        films=round_films(run),
    )


def _scores(record: RunRecord) -> list[Score]:
    return [
        Score(
            name=name,
            label=LABELS.get(name, name),
            returns=record.scores[name]["returns"],
            world="" if name not in LABELS else "dream" if name == "dream" else "reality",
            seeds=record.seeds_of(name),
            steps=[int(length) for length in record.scores[name]["lengths"]],
            note=f"{np.mean(record.scores[name]['lengths']):.0f} steps an episode",
        )
        for name in in_order(record.scores)
    ]


def _notes(told: Told) -> list[str]:
    notes = []
    for number, collected in enumerate(told.recorded, 1):
        origins = ", ".join(f"{count} {origin}" for origin, count in collected.episodes.items())
        notes.append(
            f"Round {number} learned from {collected.environment_frames:,} environment frames ({origins} episodes) "
            f"of {', '.join(collected.backends)}."
        )
        if collected.inherited_frames > 0:
            notes.append(
                f"V and M of the driver from elsewhere had learned from {collected.inherited_frames:,} frames before."
            )
    if told.frames_tried_on > 0:
        notes.append(
            f"The rounds' drivers were tried awake on {told.frames_tried_on:,} more; no parameter was fitted to them."
        )
    return notes


def _gone_on(graph: RunGraph) -> list[str]:
    """Say whose V and M a run has that fitted none of its own."""
    there = {stage.name: stage.origin for stage in graph.stages if stage.origin}
    agents = [stage for stage in graph.own if stage.publishes == "agent"]
    return [
        f"V and M are those of {there[parent]}, and so are the rounds told of here; its C is what this run began with. "
        "Frames that its C had been searched for on awake are not counted."
        for agent in agents
        for parent in agent.parents.values()
        if parent in there
    ]


def _searches(graph: RunGraph, allowed: Sequence[str]) -> Iterator[tuple[WorldSettings, SearchSettings]]:
    """Yield the worlds that C was searched for in, and the searches."""
    for stage in graph.own:
        world, search = stage.config.get("world"), stage.config.get("search")
        if isinstance(world, Mapping) and isinstance(search, Mapping):
            yield (
                build_as(bind(world, path="world", allowed=allowed), WorldSettings, allowed=allowed, path="world"),
                build_as(bind(search, path="search", allowed=allowed), SearchSettings, allowed=allowed, path="search"),
            )


def _learned_in(
    experiment: Component, searches: Sequence[tuple[WorldSettings, SearchSettings]], allowed: Sequence[str]
) -> Literal["dream", "reality", "both"] | None:
    """Say where C was trained, None where there is none."""
    worlds = [world for world, _ in searches]
    if isinstance(experiment.arguments.get("world"), Component):
        worlds.append(build_part(experiment, "world", WorldSettings, allowed=allowed))
    dreamt = {world.dreamt for world in worlds}
    if not dreamt:
        return None
    return "both" if len(dreamt) > 1 else "dream" if True in dreamt else "reality"


def _searched_awake(searches: Sequence[tuple[WorldSettings, SearchSettings]], env: EnvSpec) -> list[str]:
    """Say what searching for C on real episodes may have cost; nothing where it only dreamt."""
    real = [(world.most_steps_of(env), search.most_episodes) for world, search in searches if not world.dreamt]
    if not real:
        return []
    if any(episodes is None for _, episodes in real):
        return ["C was searched for awake, on more environment frames than its search says."]
    frames = sum(steps * (episodes or 0) * env.action_repeat for steps, episodes in real)
    return [f"C was searched for awake on {frames:,} environment frames at the most."]


def _edited(experiment: Component, agent: Artefact, allowed: Sequence[str]) -> list[str]:
    """Say so if the pictures are drawn by other code of the user's than the agent was made by."""
    code = {*code_of_agent(agent.path, allowed), *modules_in(experiment.arguments).values()}
    files = edited(agent.manifest, code)
    return [f"{files} changed since: the pictures are drawn by the code as it is now."] if files else []
