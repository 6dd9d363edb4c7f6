"""Data larger than memory: the equivalent of the paper's 10,000 episodes of 1,000 frames, 123 GB as plain bytes."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from wmframe.data.episodes import ShardWriter

EPISODES, FRAMES, LINKS = 20, 1000, 500
LIMIT_MB = 2000

_STREAM = """
import resource, sys
from pathlib import Path
from wmframe.data.episodes import EpisodeReader
from wmframe.data.frame_batches import FrameBatches

reader = EpisodeReader([Path(sys.argv[1])])
fit_on, held_out = reader.split()
seen = sum(len(b) for b in FrameBatches(reader, fit_on, batch_size=100, seed=0, start=0, stop=int(sys.argv[2])))
print(len(reader.episodes), seen, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
def test_ten_million_frames_stream_through_less_than_two_gigabytes(tmp_path: Path) -> None:
    _shard(tmp_path / "s-0000.h5")
    for number in range(1, LINKS):
        os.link(tmp_path / "s-0000.h5", tmp_path / f"s-{number:04}.h5")
    spoken = subprocess.run(
        [sys.executable, "-c", _STREAM, str(tmp_path), "800"], capture_output=True, text=True, check=True
    )
    episodes, seen, peak = map(int, spoken.stdout.split())
    assert episodes * FRAMES == 10_000_000
    assert seen == 80_000
    assert peak < LIMIT_MB


def _shard(path: Path) -> None:
    with ShardWriter(path, EPISODES) as writer:
        for lane in range(EPISODES):
            for step in range(FRAMES):
                frame = np.full((64, 64, 3), 100, np.uint8)
                frame[step % 64, lane:] = step % 251
                writer.frame(lane, frame)
                if step:
                    writer.step(lane, np.zeros(3, np.float32), 0.0)
            about = {"seed": lane, "source": "none", "origin": "random", "policy": "", "backend": ""}
            writer.finish(lane, {**about, "limit": FRAMES, "terminated": False})
