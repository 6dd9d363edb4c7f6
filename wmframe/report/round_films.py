"""Each round's agent filmed while a run goes on, in episodes that it drove anyway: nothing is driven for most of them.

A run, a node and its result come in, as the runner has them; a film in the run's folder goes out, and what to say:

    runs/<run>/films/round_1.webp    the agent of round 1, as it drove for round 2 to learn from
    runs/<run>/films/agent.webp      the finished agent on the first of its test seeds
    runs/<run>/film.webp             the newest of them

Called by the runner, through what `wmframe run` hands it, and when the page is gathered. Legend: T steps.
"""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, UnidentifiedImageError

from wmframe.agents.agent import load_agent
from wmframe.collect.driving import UNPERTURBED
from wmframe.data.episodes import EpisodeReader
from wmframe.engine.durability.files import read_json, write_atomic
from wmframe.engine.graph.node import Node
from wmframe.engine.runs.runs import FILM_FOLDER, NEWEST_FILM, Run
from wmframe.engine.store.artefact import Artefact
from wmframe.envs.spec import Frame
from wmframe.report.animation import FORMATS, best_format, captioned, write_animation
from wmframe.report.contents import DrivenFilm, Frames, in_colour
from wmframe.report.film import Rewards, real_episode

_FPS: Final = 12.5
"""CarRacing's own pace at four frames a step."""

_MOST: Final = 200
"""Frames of a film, some 16 seconds; of a longer episode every n-th is shown, and it goes n times as fast."""

_ON_A_PAGE: Final = 12
"""Films that a page carries, at a third of a megabyte each."""

_NAMES: Final = re.compile(r"round_(?P<round>\d{1,6})|agent")


def film_round(run: Run, node: Node, artefact: Artefact, *, allowed: Sequence[str]) -> str:
    """Film an agent, if this result shows one; return what to tell of it, "" if there was nothing to film."""
    if node.stage.publishes == "episodes" and artefact.manifest["config"].get("round", 1) > 1:
        return _as_it_recorded(run, int(artefact.manifest["config"]["round"]) - 1, artefact.path)
    scored = any(parent.stage.publishes == "agent" for parent in node.parents.values())
    if node.stage.publishes == "scores" and scored and (run.folder / FILM_FOLDER).is_dir():
        return _as_it_was_scored(run, read_json(artefact.file("scores.json"))["seeds"][0], allowed)
    return ""


def _as_it_recorded(run: Run, number: int, collection: Path) -> str:
    """Film the agent of a round in an episode that it drove for the next: of those unperturbed, that of median return.

    None is driven for the film, and the agent is shown as it is.
    """
    with closing(EpisodeReader([collection])) as reader:
        returns = {n: info.episode_return for n, info in enumerate(reader.episodes) if info.policy == UNPERTURBED}
        if not returns:
            return f"no film of round {number}'s agent: it drove no episode without noise or exploration"
        typical = sorted(returns, key=returns.__getitem__)[(len(returns) - 1) // 2]
        frames, rewards = reader.frames(typical), reader.steps(typical).rewards
    return _written(run, f"round_{number}", f"round {number}'s agent", frames, rewards)


def _as_it_was_scored(run: Run, seed: int, allowed: Sequence[str]) -> str:
    """Film the finished agent: evaluation keeps no frames, so its first episode is driven once more."""
    agent = load_agent(run, allowed=allowed)
    env = agent.env.reference()
    frames, rewards = real_episode(agent.driver.in_double(), env, seed, env.most_steps)
    return _written(run, "agent", "the finished agent", frames, rewards)


def _written(run: Run, name: str, whom: str, frames: Frames, rewards: Rewards) -> str:
    """Write an episode of frames (T + 1, H, W, channels) and rewards (T,) as a film, and as the newest one."""
    suffix = next(suffix for suffix, kind in FORMATS.items() if kind == best_format())
    path = run.folder / FILM_FOLDER / f"{name}{suffix}"
    shown = range(0, len(frames), -(-len(frames) // _MOST))
    earned = np.concatenate([[0.0], np.cumsum(rewards, dtype=np.float64)])
    captions = [(f"step {step} of {len(rewards)}", f"return {earned[step]:.0f}") for step in shown]
    write_animation(path, captioned(whom, in_colour(frames)[shown.start :: shown.step], captions), _FPS)
    newest = run.folder / f"{NEWEST_FILM}{suffix}"
    write_atomic(newest, path.read_bytes())  # a copy: the dashboard follows no links
    return f"a film of {whom}: {path} (the newest: {newest})"


def round_films(run: Run) -> list[DrivenFilm]:
    """Return a run's films in the order of its rounds, spread evenly over them if there are many."""
    found = sorted(_films(run.folder / FILM_FOLDER), key=lambda pair: pair[0])
    chosen = sorted({round(place) for place in np.linspace(0, len(found) - 1, min(len(found), _ON_A_PAGE))})
    return [found[place][1] for place in chosen]


def _films(folder: Path) -> Iterator[tuple[float, DrivenFilm]]:
    """Yield what films there are, each with its place; a file that is no film is none."""
    for path in folder.glob("*"):
        name = _NAMES.fullmatch(path.stem)
        if name is None or path.suffix not in FORMATS:
            continue
        with suppress(OSError, ValueError, UnidentifiedImageError, Image.DecompressionBombError):
            data = path.read_bytes()
            number = name["round"]
            title = "the finished agent" if number is None else f"round {number}'s agent"
            still = _still(data, FORMATS[path.suffix])
            yield (float("inf") if number is None else int(number)), DrivenFilm(title=title, moving=data, still=still)


def _still(data: bytes, kind: str) -> Frame:
    """Return the middle frame of an animation; raises as Pillow does for what is none."""
    with Image.open(io.BytesIO(data), formats=[kind]) as film:
        film.seek(getattr(film, "n_frames", 1) // 2)
        return np.asarray(film.convert("RGB"), np.uint8)
