"""From a run's folder to its page: read the artefacts, let V and M draw, write report.html.

A finished run comes in; `Contents` and the page go out. Called by `wmframe run` and `wmframe report`.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from wmframe.config.bind import Component
from wmframe.data.episodes import EpisodeReader, split
from wmframe.envs.spec import EnvSpec
from wmframe.files import read_json
from wmframe.memory.contract import Memory
from wmframe.pipeline.agents import open_artefacts
from wmframe.pipeline.artefact import Artefact
from wmframe.pipeline.runs import Run, RunRecord
from wmframe.report.contents import Contents, Frames, OpenLoop, Reconstructions, Score, StageRow
from wmframe.report.histories import awake_by_round, curves
from wmframe.report.page import write
from wmframe.report.scoreboard import LABELS
from wmframe.stages.building import build_part
from wmframe.stages.models import load_memory, load_vision
from wmframe.vision.contract import Vision
from wmframe.worlds.open_loop import open_loop

_SHOWN = 16
"""Reconstructions and prior samples on the page."""

_STEPS, _PRIMED = 80, 20
"""The open-loop dream: its length, and how much of it M is shown."""

_CPU = torch.device("cpu")


def write_page(run: Run, *, allowed: Sequence[str]) -> Path:
    """Write a run's page into its folder."""
    return write(gather(run, allowed=allowed), run.folder / "report.html")


def gather(run: Run, *, allowed: Sequence[str]) -> Contents:
    """Read all that the page shows. Raises UserError if an artefact of the run is missing or damaged."""
    record, experiment = run.record(), run.experiment(allowed)
    artefacts = open_artefacts(run, record.stages)
    newest = {artefact.stage: artefact for artefact in artefacts.values()}
    collected = {
        name: read_json(artefact.file("summary.json"))
        for name, artefact in artefacts.items()
        if artefact.stage == "collect"
    }
    drawn = _Pictures()
    if {"collect", "vision", "memory"} <= newest.keys():
        drawn = _pictures(newest, experiment, allowed)
    dreams = experiment.part("world").target.endswith(".DreamSettings")
    return Contents(
        title=run.name,
        subtitle=record.command,
        scores=_scores(record),
        curves=[
            *awake_by_round([facts["mean_return_by_policy"] for facts in collected.values()]),
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
        dream=drawn.dream,
    )


def _scores(record: RunRecord) -> list[Score]:
    return [
        Score(
            name=name,
            label=label,
            returns=record.scores[name]["returns"],
            world="dream" if name == "dream" else "reality",
            seeds=record.seeds,
            steps=record.scores[name]["lengths"],
            note=f"{np.mean(record.scores[name]['lengths']):.0f} steps an episode",
        )
        for name, label in LABELS.items()
        if name in record.scores
    ]


def _notes(collected: Mapping[str, Mapping[str, Any]], caveat: str) -> list[str]:
    notes = [caveat] if caveat else []
    for name, facts in collected.items():
        origins = ", ".join(f"{count} {origin}" for origin, count in facts["episodes"].items())
        notes.append(
            f"{name}: {facts['environment_frames']:,} environment frames ({origins} episodes) "
            f"of {', '.join(facts['backends'])}"
        )
    return notes


@dataclass(frozen=True)
class _Recorded:
    """One held-out episode: frames (T, 64, 64, 3) and the actions (T, A) taken at them."""

    frames: Frames
    actions: np.ndarray


@dataclass(frozen=True)
class _Pictures:
    """What V and M drew for the page."""

    reconstructions: Reconstructions | None = None
    prior_samples: Frames | None = None
    dream: OpenLoop | None = None


def _pictures(newest: Mapping[str, Artefact], experiment: Component, allowed: Sequence[str]) -> _Pictures:
    vision = load_vision(newest["vision"].path, allowed=allowed, device=_CPU)
    memory = load_memory(newest["memory"].path, allowed=allowed, device=_CPU)
    episode, spread = _recorded(newest["collect"].path)
    normal = torch.randn(_SHOWN, vision.latent_size, generator=torch.Generator().manual_seed(0))
    return _Pictures(
        Reconstructions(spread, _decode(vision, _encode(vision, spread))),
        _decode(vision, normal) if vision.steps > 0 else None,
        _dream(vision, memory, episode, experiment) if memory.dreams else None,
    )


def _recorded(folder: Path) -> tuple[_Recorded, Frames]:
    """Return the longest held-out episode's beginning, and frames spread over all held-out episodes."""
    with closing(EpisodeReader([folder])) as reader:
        _, held_out = split(len(reader.episodes))
        longest = max(held_out, key=lambda number: reader.episodes[number].steps)
        steps = min(reader.episodes[longest].steps, _STEPS)
        episode = _Recorded(reader.frames(longest, 0, steps), reader.steps(longest).actions[:steps])
        places = np.linspace(0, 1, _SHOWN)
        chosen = [held_out[int(place * (len(held_out) - 1))] for place in places]
        at = [int(place * reader.episodes[number].steps) for place, number in zip(places, chosen, strict=True)]
        spread = np.concatenate([reader.frames(n, t, t + 1) for n, t in zip(chosen, at, strict=True)])
    return episode, spread


def _dream(vision: Vision, memory: Memory, episode: _Recorded, experiment: Component) -> OpenLoop:
    temperature = experiment.part("world").arguments.get("temperature", 1.0)
    primed = min(_PRIMED, len(episode.frames))
    latents = open_loop(
        memory,
        _encode(vision, episode.frames),
        torch.from_numpy(episode.actions),
        primed=primed,
        temperature=float(temperature),  # type: ignore[arg-type]
        seed=0,
    )
    return OpenLoop(episode.frames, _decode(vision, latents), primed)


@torch.inference_mode()
def _encode(vision: Vision, frames: Frames) -> torch.Tensor:
    return vision.encode(torch.from_numpy(frames)).mu


@torch.inference_mode()
def _decode(vision: Vision, latents: torch.Tensor) -> Frames:
    pixels: Frames = vision.decode(latents).numpy()
    return pixels
