from pathlib import Path

import numpy as np
import pytest

from wmframe.data.latents import EncodedEpisodes, EpisodeRef, LatentData


def encoded(
    lengths: list[int], *, latent: int = 2, action: int = 1, seed: int = 0, limits: list[int] | None = None
) -> EncodedEpisodes:
    """Episodes of so many steps, all ended; mu is the row's number, so that every row can be known again."""
    starts = np.concatenate([[0], np.cumsum([steps + 1 for steps in lengths])]).astype(np.int64)
    rows, rng = int(starts[-1]), np.random.default_rng(seed)
    done = np.zeros(rows, np.float32)
    done[starts[1:] - 2] = 1
    rewards = np.arange(rows, dtype=np.float32)
    rewards[starts[1:] - 1] = 0
    return EncodedEpisodes(
        mu=np.repeat(np.arange(rows)[:, None], latent, 1).astype(np.float16),
        logvar=rng.standard_normal((rows, latent)).astype(np.float16),
        actions=(np.repeat(np.arange(rows)[:, None], action, 1) / rows).astype(np.float32),
        rewards=rewards,
        done=done,
        starts=starts,
        seeds=np.arange(len(lengths)) + 100 * seed,
        limits=np.array(limits or lengths),
    )


def test_episodes_lie_end_to_end_round_after_round() -> None:
    data = LatentData([encoded([3, 1]), encoded([2])])
    assert data.episodes == (EpisodeRef(0, 0, 4, 3), EpisodeRef(0, 4, 6, 1), EpisodeRef(1, 0, 3, 2))
    assert [episode.steps for episode in data.episodes] == [3, 1, 2]
    assert [episode.later for episode in data.episodes] == [False, False, True]
    assert [len(folder) for folder in data.folders] == [2, 1]


def test_a_folder_is_mapped_and_not_read(tmp_path: Path) -> None:
    made = encoded([3, 1])
    for name in EncodedEpisodes.__dataclass_fields__:
        np.save(tmp_path / f"{name}.npy", getattr(made, name))
    loaded = EncodedEpisodes.load(tmp_path)
    assert isinstance(loaded.mu.base, np.memmap)
    for name in EncodedEpisodes.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(loaded, name), getattr(made, name))
        assert getattr(loaded, name).dtype == getattr(made, name).dtype


@pytest.mark.parametrize(
    ("name", "said"),
    [(name, "has 5 rows, not 6") for name in ("mu", "logvar", "actions", "rewards", "done")]
    + [(name, "has 1 rows, not 2") for name in ("seeds", "limits")],
)
def test_arrays_of_unequal_length_are_refused(name: str, said: str) -> None:
    """A row for each frame, and one for each episode."""
    made = encoded([3, 1])
    parts = {field: getattr(made, field) for field in EncodedEpisodes.__dataclass_fields__}
    parts[name] = parts[name][:-1]
    with pytest.raises(ValueError, match=f"{name} {said}"):
        EncodedEpisodes(**parts)
