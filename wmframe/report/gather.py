"""From a run's folder to its page: read the artefacts, let V and M draw, write report.html.

A finished run comes in; `Contents` and the page go out. Called by `wmframe report` and `publish`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wmframe.envs.spec import EnvSpec
from wmframe.pipeline.agents import open_artefacts
from wmframe.pipeline.records import read_record
from wmframe.pipeline.runs import Run, RunRecord
from wmframe.report.contents import Contents, Score, StageRow
from wmframe.report.drawings import draw_pictures
from wmframe.report.histories import awake_by_round, curves
from wmframe.report.page import write
from wmframe.report.scoreboard import LABELS
from wmframe.stages.building import build_part


@dataclass(frozen=True, kw_only=True)
class Collected:
    """What the page tells of a collection's summary.json."""

    mean_return_by_policy: dict[str, float]
    episodes: dict[str, int]
    environment_frames: int
    backends: list[str]


def write_page(run: Run, *, allowed: Sequence[str]) -> Path:
    """Write a run's page into its folder."""
    return write(gather(run, allowed=allowed), run.folder / "report.html")


def gather(run: Run, *, allowed: Sequence[str]) -> Contents:
    """Read all that the page shows. Raises UserError if an artefact of the run is missing or damaged."""
    record, experiment = run.record(), run.experiment(allowed)
    artefacts = open_artefacts(run, record.stages)
    newest = {artefact.stage: artefact for artefact in artefacts.values()}
    collected = {
        name: read_record(artefact.file("summary.json"), Collected, "a collection's summary")
        for name, artefact in artefacts.items()
        if artefact.stage == "collect"
    }
    drawn = draw_pictures(newest, experiment, allowed)
    dreams = experiment.part("world").target.endswith(".DreamSettings")
    return Contents(
        title=run.name,
        subtitle=record.command,
        scores=_scores(record),
        curves=[
            *awake_by_round([facts.mean_return_by_policy for facts in collected.values()]),
            *curves({name: artefact.path / "history.jsonl" for name, artefact in artefacts.items()}),
        ],
        stages=[
            StageRow(s.name, s.key, s.state, s.seconds, list(artefacts[s.name].manifest["parents"].values()))
            for s in record.stages
        ],
        config=experiment.plain(),
        provenance=record.provenance,
        notes=_notes(collected, build_part(experiment, "env", EnvSpec, allowed=allowed).caveat),
        learned_in="dream" if dreams else "reality",
        episodes="tracks" if "car_racing" in str(experiment.plain()["env"]) else "episodes",
        reconstructions=drawn.reconstructions,
        prior_samples=drawn.prior_samples,
        canvas=drawn.canvas,
        dream=drawn.dream,
        dream_curves=drawn.dream_curves,
    )


def _scores(record: RunRecord) -> list[Score]:
    return [
        Score(
            name=name,
            label=label,
            returns=record.scores[name]["returns"],
            world="dream" if name == "dream" else "reality",
            seeds=record.seeds,
            steps=[int(length) for length in record.scores[name]["lengths"]],
            note=f"{np.mean(record.scores[name]['lengths']):.0f} steps an episode",
        )
        for name, label in LABELS.items()
        if name in record.scores
    ]


def _notes(collected: Mapping[str, Collected], caveat: str) -> list[str]:
    notes = [caveat] if caveat else []
    for name, facts in collected.items():
        origins = ", ".join(f"{count} {origin}" for origin, count in facts.episodes.items())
        notes.append(
            f"{name}: {facts.environment_frames:,} environment frames ({origins} episodes) "
            f"of {', '.join(facts.backends)}"
        )
    return notes
