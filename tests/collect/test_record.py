from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from wmframe.collect.contract import EpisodeBatch
from wmframe.collect.record import record
from wmframe.data.episodes import EpisodeReader, read_infos
from wmframe.envs.batch import SerialBatch
from wmframe.envs.toy import Toy
from wmframe.worlds.environment import Environment

SPEC = Toy(max_frames=30)
SEEDS = [3, 4, 5, 6]


def rush(features: Tensor) -> Tensor:
    """Two lanes run off either end of the line, the others stand."""
    return torch.tensor([[1.0], [-1.0], [0.0], [0.0]])


def recorded(folder: Path, *, most_steps: int | None = None, ticks: list[int] | None = None) -> EpisodeReader:
    record(
        folder / "held-0000.h5",
        EpisodeBatch(
            world=Environment(SerialBatch(SPEC), most_steps=most_steps),
            act=rush,
            seeds=SEEDS,
            policies=["east", "west", "still", "still"],
        ),
        source="mine",
        origin="random",
        env=SPEC,
        tick=lambda steps: None if ticks is None else ticks.append(steps),
    )
    return EpisodeReader([folder])


def test_an_episode_is_what_the_environment_showed(tmp_path: Path) -> None:
    reader = recorded(tmp_path)
    for number, seed in enumerate(SEEDS):
        env = SPEC.make()
        frame, _ = env.reset(seed=seed)
        frames, seen = reader.frames(number), reader.steps(number)
        np.testing.assert_array_equal(frames[0], frame)  # the first is the reset's
        assert len(frames) == len(seen.actions) + 1 == len(seen.rewards) + 1
        for t, action in enumerate(seen.actions):
            assert action.tolist() == rush(torch.zeros(4, 1))[number].tolist()
            frame, reward, terminated, truncated, _ = env.step(action)
            np.testing.assert_array_equal(frames[t + 1], frame)
            assert seen.rewards[t] == np.float32(reward)  # stands at the step that caused it
            assert (terminated or truncated) is (t == len(seen.actions) - 1)
        assert seen.terminated is terminated
    reader.close()


def test_only_a_true_end_is_one(tmp_path: Path) -> None:
    infos = {info.seed: info for info in recorded(tmp_path).episodes}
    assert [infos[seed].terminated for seed in SEEDS] == [True, True, False, False]
    assert infos[3].steps < 30
    assert infos[5].steps == infos[6].steps == 30  # the time limit


def test_an_episode_cut_by_the_collector_did_not_end(tmp_path: Path) -> None:
    reader = recorded(tmp_path, most_steps=2)
    assert [(info.steps, info.terminated) for info in reader.episodes] == [(2, False)] * 4
    assert len(reader.frames(0)) == 3
    reader.close()


def test_every_episode_says_where_it_came_from(tmp_path: Path) -> None:
    reader = recorded(tmp_path)
    infos = read_infos(tmp_path / "held-0000.h5")
    assert [info.policy for info in infos] == ["east", "west", "still", "still"]
    assert [info.seed for info in infos] == SEEDS
    assert {(info.source, info.origin, info.backend) for info in infos} == {("mine", "random", "wmframe-toy-1")}
    for number, info in enumerate(infos):
        assert info.episode_return == pytest.approx(float(reader.steps(number).rewards.sum()))
    reader.close()


def test_it_tells_how_many_steps_each_moment_brought(tmp_path: Path) -> None:
    ticks: list[int] = []
    reader = recorded(tmp_path, ticks=ticks)
    assert sum(ticks) == sum(info.steps for info in reader.episodes)
    assert ticks[0] == 4
    assert ticks[-1] == 2  # the two that ran off are no longer counted
    reader.close()


def test_a_killed_recording_leaves_no_shard(tmp_path: Path) -> None:
    def dies(features: Tensor) -> Tensor:
        raise KeyboardInterrupt

    batch = EpisodeBatch(world=Environment(SerialBatch(SPEC)), act=dies, seeds=SEEDS, policies=["p"] * 4)
    with pytest.raises(KeyboardInterrupt):
        record(tmp_path / "a.h5", batch, source="s", origin="random", env=SPEC, tick=lambda steps: None)
    assert list(tmp_path.iterdir()) == []
