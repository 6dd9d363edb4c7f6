from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from tests.report.examples import frames
from wmframe.engine.errors import UserError
from wmframe.report.animation import (
    AWAKE,
    BORDER,
    DREAMING,
    EDGE,
    GAP,
    HEAD,
    absolute_error,
    captioned,
    encode,
    panels,
    side_by_side,
    write_animation,
)
from wmframe.report.contents import Frames
from wmframe.report.pictures import enlarge

SUFFIXES = [
    ".gif",
    pytest.param(".webp", marks=pytest.mark.skipif(not features.check("webp"), reason="no WebP")),
]


def panel(picture: Frames, index: int, scale: int) -> Frames:
    left = EDGE + index * (64 * scale + 2 * BORDER + GAP) + BORDER
    return picture[HEAD + BORDER : HEAD + BORDER + 64 * scale, left : left + 64 * scale]


def test_truth_dream_and_error_stand_side_by_side() -> None:
    truth, dream = frames(4, 1), frames(4, 2)
    pictures = list(side_by_side(truth, dream, primed_steps=2, scale=2))
    assert len(pictures) == 4
    for step, picture in enumerate(pictures):
        assert np.array_equal(panel(picture, 0, 2), enlarge(truth[step], 2))
        assert np.array_equal(panel(picture, 1, 2), enlarge(dream[step], 2))
        assert np.array_equal(panel(picture, 2, 2), enlarge(absolute_error(truth, dream, gain=3)[step], 2))


def test_the_border_changes_when_the_priming_ends() -> None:
    pictures = side_by_side(frames(4), frames(4), primed_steps=2)
    assert [tuple(picture[HEAD, EDGE]) for picture in pictures] == [AWAKE, AWAKE, DREAMING, DREAMING]


def test_the_step_counter_counts() -> None:
    still = np.repeat(frames(1), 12, axis=0)
    pictures = list(panels({"dream": still}, primed_steps=0, scale=2))
    assert len({picture.tobytes() for picture in pictures}) == 12


def test_a_real_episode_has_the_captions_that_it_is_given() -> None:
    still = np.repeat(frames(1), 3, axis=0)
    pictures = list(
        captioned("round 1", still, [("step 0", "return 0"), ("step 1", "return 0"), ("step 1", "return 2")])
    )
    assert [tuple(picture[HEAD, EDGE]) for picture in pictures] == [AWAKE] * 3
    assert all(np.array_equal(panel(picture, 0, 4), enlarge(still[0], 4)) for picture in pictures)
    assert len({picture.tobytes() for picture in pictures}) == 3


def test_the_error_does_not_wrap_and_stops_at_white() -> None:
    dark, light = np.zeros((1, 2, 2, 3), np.uint8), np.full((1, 2, 2, 3), (200, 100, 0), np.uint8)
    assert absolute_error(dark, light).tolist() == absolute_error(light, dark).tolist()
    assert absolute_error(dark, light)[0, 0, 0].tolist() == [100, 100, 100]
    assert absolute_error(dark, light, gain=3)[0, 0, 0].tolist() == [255, 255, 255]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_written_film_has_every_frame_at_its_speed(tmp_path: Path, suffix: str) -> None:
    path = write_animation(
        tmp_path / "new" / f"film{suffix}", side_by_side(frames(6), frames(6, 1), primed_steps=3), 20
    )
    with Image.open(path) as film:
        assert getattr(film, "n_frames", 1) == 6
        assert film.size[0] > 3 * 256
        film.seek(1)
        film.load()
        assert film.info["duration"] == 50
        assert film.info["loop"] == 0
    assert [entry.name for entry in path.parent.iterdir()] == [f"film{suffix}"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_picture_survives_the_encoder(tmp_path: Path, suffix: str) -> None:
    film = enlarge(frames(3), 4)
    path = write_animation(tmp_path / f"film{suffix}", film, 10)
    with Image.open(path) as read:
        first = np.asarray(read.convert("RGB")).astype(int)
    assert np.abs(first - film[0]).mean() < 8


@pytest.mark.parametrize("name", ["film.mp4", "film", "film.png"])
def test_another_suffix_is_refused_before_a_frame_is_made(tmp_path: Path, name: str) -> None:
    untouched = iter(frames(2))
    with pytest.raises(UserError, match=r"\.webp or \.gif") as error:
        write_animation(tmp_path / name, untouched, 20)
    assert "film.webp" in str(error.value)
    assert len(list(untouched)) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_speed_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="above 0"):
        write_animation(tmp_path / "film.gif", frames(2), 0)


def test_no_frames_is_refused_and_the_old_film_stays(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="at least one frame"):
        write_animation(path, iter(()), 20)
    assert path.read_bytes() == b"old"


def test_the_same_frames_give_the_same_bytes() -> None:
    film = frames(4)
    assert encode(film, fps=15, kind="GIF") == encode(film, fps=15, kind="GIF")
