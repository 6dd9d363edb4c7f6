"""Recorded episodes in HDF5 shards: frames compressed, everything else beside them.

Collection writes one shard a batch of episodes, frame by frame, so memory does not grow with its length; the vision
and latents stages read. A shard appears under its name only when complete. Legend: T steps, A action.
An episode has T + 1 frames: frame t is what the actor saw before action t, the last one is where it ended.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import h5py
import numpy as np
import numpy.typing as npt

from wmframe.data.shard import CHUNK, check_episode, open_shard, read_info
from wmframe.data.sink import Sink
from wmframe.data.split import Split, split
from wmframe.engine.durability import failpoints
from wmframe.engine.durability.files import fsync_folder
from wmframe.engine.errors import UserError
from wmframe.frames import FRAME_SHAPE

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class EpisodeInfo:
    """Where an episode came from and how it went; its frames stay on disk.

    `source` is the collector's name in the config, `origin` what the data set says of itself ("random", "evolved",
    "driver"), `backend` the environment's ("package-version/environment/renderer"), `steps` T, `limit` the steps at
    which a time limit ends it, `terminated` False where that is what ended it.
    """

    shard: str
    name: str
    steps: int
    seed: int
    source: str
    origin: str
    policy: str
    backend: str
    episode_return: float
    limit: int
    terminated: bool

    @property
    def simulator(self) -> str:
        """Return what the episode was played in, whatever its version and renderer: "package/environment"."""
        package, _, rest = self.backend.partition("/")
        return f"{package.rpartition('-')[0]}/{rest.partition('/')[0]}"


@dataclass(frozen=True)
class Steps:
    """What happened in an episode besides its frames: actions (T, A), rewards (T,), terminated at the last step."""

    actions: Floats
    rewards: Floats
    terminated: bool


class ShardWriter:
    """Writes B episodes of frames of one shape side by side into one HDF5 file; use as a context manager.

    Leaving it without an error renames the finished file into place; with one, nothing is left behind. All but the
    constructor raise OSError, about the file, once a write has failed.
    """

    def __init__(self, path: Path, lanes: int, frame_shape: Sequence[int] = FRAME_SHAPE) -> None:
        self._path, self._part = path, path.with_suffix(".part")
        self._sink = Sink(self._part)
        self._file = h5py.File(self._sink, "w")
        self._frames: list[list[Bytes]] = [[] for _ in range(lanes)]
        self._actions: list[list[Floats]] = [[] for _ in range(lanes)]
        self._rewards: list[list[float]] = [[] for _ in range(lanes)]
        for lane in range(lanes):
            self._file.create_dataset(
                f"{lane:04}/frames",
                (0, *frame_shape),
                np.uint8,
                maxshape=(None, *frame_shape),
                chunks=(CHUNK, *frame_shape),
                compression="gzip",
                compression_opts=4,
            )

    def frame(self, lane: int, frame: Bytes) -> None:
        """Add a frame (H, W, channels) to an episode."""
        pending = self._frames[lane]
        pending.append(frame.copy())
        if len(pending) == CHUNK:
            self._flush(lane)
            self._sink.check()

    def step(self, lane: int, action: Floats, reward: float) -> None:
        """Add an action (A,) and the reward that it caused."""
        self._actions[lane].append(action.copy())
        self._rewards[lane].append(reward)

    def finish(self, lane: int, info: dict[str, object]) -> None:
        """Close an episode, with `EpisodeInfo`'s fields that the recorder cannot know."""
        if self._frames[lane]:
            self._flush(lane)
        group = self._file[f"{lane:04}"]
        failpoints.reach(f"half.{self._path.name}", self._path)
        rewards = np.asarray(self._rewards[lane], np.float32)
        group["actions"] = np.asarray(self._actions[lane], np.float32)
        group["rewards"] = rewards
        known = {"shard": self._path.name, "name": f"{lane:04}", "steps": len(rewards)}
        full = EpisodeInfo(**known, episode_return=float(rewards.sum(dtype=np.float64)), **info)  # type: ignore[arg-type]
        group.attrs["info"] = json.dumps(asdict(full), sort_keys=True)
        self._sink.check()

    def _flush(self, lane: int) -> None:
        dataset, pending = self._file[f"{lane:04}/frames"], self._frames[lane]
        start = dataset.shape[0]
        dataset.resize(start + len(pending), axis=0)
        dataset[start:] = np.stack(pending)
        pending.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        try:
            if kind is None:
                self._sink.finish()
                self._part.replace(self._path)
                fsync_folder(self._path.parent)
        finally:
            self._sink.close()
            self._part.unlink(missing_ok=True)


def episode_info(file: h5py.File, name: str) -> EpisodeInfo:
    """Return what an open shard says of one of its episodes. Raises UserError where that is not what is asked."""
    said = read_info(file, name)
    # Of episodes from before limits were recorded nothing is known beyond their last step.
    said = {"limit": said.get("steps"), **said}
    kinds = {field.name: field.type for field in fields(EpisodeInfo)}
    if said.keys() != kinds.keys() or not all(type(said[key]) is kinds[key] for key in kinds):
        raise UserError(f"{file.filename}: {name} is no episode that says where it came from", exit_code=1)
    return EpisodeInfo(**said)


def read_infos(shard: Path) -> list[EpisodeInfo]:
    """Return what a shard says of its episodes, in the order they were recorded."""
    with open_shard(shard) as file:
        return [episode_info(file, name) for name in sorted(file)]


class EpisodeReader:
    """Random access to the episodes of many shards; open files are kept, frames are not. Close when done.

    `episodes` lists them in a fixed order; an episode's number is its place there. `later` tells of each whether it is
    from a folder behind the first, which are those of later rounds; `seeds` are each folder's environment seeds.
    Raises UserError for episodes of several simulators, which V would learn as one, and for frames of several shapes.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self.episodes: list[EpisodeInfo] = []
        self.later: list[bool] = []
        self.seeds: list[list[int]] = [[] for _ in folders]
        self._groups: list[h5py.Group] = []
        self._files: list[h5py.File] = []
        for place, folder in enumerate(folders):
            for shard in sorted(folder.glob("*.h5")):
                file = open_shard(shard)
                self._files.append(file)
                for name in sorted(file):
                    info = episode_info(file, name)
                    check_episode(file, name, info.steps)
                    self.episodes.append(info)
                    self.later.append(place > 0)
                    self.seeds[place].append(info.seed)
                    self._groups.append(file[name])
        shapes = {group["frames"].shape[1:] for group in self._groups}
        self.frame_shape: tuple[int, ...] = max(shapes, default=())
        if len(shapes) > 1:
            self.close()
            raise UserError(
                f"These episodes hold frames of {' and '.join(map(str, sorted(shapes)))}: V sees one shape."
            )
        simulators = sorted({episode.simulator for episode in self.episodes})
        if len(simulators) > 1:
            self.close()
            raise UserError(
                f"These episodes come from {' and '.join(simulators)}: what one simulator draws is not what another "
                "does. Read the folders of one at a time, or collect all with one."
            )

    def frames(self, episode: int, start: int = 0, stop: int | None = None) -> Bytes:
        """Return frames start … stop of an episode, (n, H, W, channels)."""
        frames: Bytes = self._groups[episode]["frames"][start:stop]
        return frames

    def steps(self, episode: int) -> Steps:
        """Return an episode's actions and rewards."""
        group = self._groups[episode]
        return Steps(group["actions"][:], group["rewards"][:], self.episodes[episode].terminated)

    def chunks(self, episodes: Sequence[int]) -> Iterator[tuple[int, int, int]]:
        """Yield (episode, start, stop) of every compressed chunk of these episodes."""
        for episode in episodes:
            total = self.episodes[episode].steps + 1
            for start in range(0, total, CHUNK):
                yield episode, start, min(start + CHUNK, total)

    def split(self) -> Split:
        """Return the numbers of the episodes to fit on and of those held out (`data.split`)."""
        return split(self.seeds)

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()


_SAMPLE: Final = 2
"""Episodes in a sample."""


def save_sample(folders: Sequence[Path], shard: Path) -> None:
    """Write some held-out episodes of the last of these collections, spread over them, into one shard of their own.

    The collections are all that the agent's V and M were fitted on, the oldest first. Where the last holds none out,
    those of the earlier ones are taken.
    """
    with closing(EpisodeReader(folders)) as reader:
        _, apart = reader.split()
        last = sum(map(len, reader.seeds[:-1]))
        held_out = [number for number in apart if number >= last] or apart
        chosen = [held_out[round(place)] for place in np.linspace(0, len(held_out) - 1, min(_SAMPLE, len(held_out)))]
        with ShardWriter(shard, len(chosen), reader.frame_shape) as writer:
            for lane, number in enumerate(chosen):
                info, steps = reader.episodes[number], reader.steps(number)
                for frame in reader.frames(number):
                    writer.frame(lane, frame)
                for action, reward in zip(steps.actions, steps.rewards, strict=True):
                    writer.step(lane, action, float(reward))
                known = ("seed", "source", "origin", "policy", "backend", "limit", "terminated")
                writer.finish(lane, {name: getattr(info, name) for name in known})
