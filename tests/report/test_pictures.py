import base64
import io

import numpy as np
from PIL import Image

from tests.report.examples import frames
from wmframe.report.contents import OpenLoop, Reconstructions
from wmframe.report.pictures import (
    GAP,
    MAX_TILES,
    SCALE,
    enlarge,
    horizon_steps,
    pairs,
    reconstruction_error,
    samples,
    sheet,
    strip,
)


def decoded(address: str) -> Image.Image:
    head, data = address.split(",", 1)
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(data, validate=True)))


def test_pixels_are_repeated_not_mixed() -> None:
    picture = frames(1)[0]
    big = enlarge(picture, 3)
    assert big.shape == (192, 192, 3)
    assert all(np.array_equal(big[i::3, j::3], picture) for i in range(3) for j in range(3))


def test_a_sample_comes_back_exactly() -> None:
    prior = frames(3)
    tiles = samples(prior)
    assert len(tiles) == 3
    assert np.array_equal(np.asarray(decoded(tiles[2])), enlarge(prior[2], SCALE))


def test_a_pair_is_the_frame_over_its_reconstruction() -> None:
    above, below = frames(2, 1), frames(2, 2)
    tile = np.asarray(decoded(pairs(above, below)[1]))
    assert tile.shape == (2 * 64 * SCALE + GAP, 64 * SCALE, 4)
    assert np.array_equal(tile[: 64 * SCALE, :, :3], enlarge(above[1], SCALE))
    assert np.array_equal(tile[-64 * SCALE :, :, :3], enlarge(below[1], SCALE))
    assert not tile[64 * SCALE : -64 * SCALE, :, 3].any()


def test_a_strip_is_its_frames_side_by_side_with_the_page_between_them() -> None:
    swept = frames(3)
    picture = np.asarray(decoded(strip(swept)))
    assert picture.shape == (64, 3 * 64 + 2 * (GAP // 2), 4)
    assert np.array_equal(picture[:, :64, :3], swept[0])
    assert np.array_equal(picture[:, -64:, :3], swept[2])
    assert not picture[:, 64 : 64 + GAP // 2, 3].any()


def test_a_sheet_has_a_row_for_each_row() -> None:
    above, below = frames(4, 1), frames(4, 2)
    picture = sheet([above, below])
    assert picture.shape == (2 * 66, 4 * 66, 3)
    assert np.array_equal(picture[66 : 66 + 64, 66 : 66 + 64], below[1])


def test_a_gallery_has_an_end() -> None:
    assert len(samples(frames(MAX_TILES + 5))) == MAX_TILES


def test_the_error_is_in_grey_levels() -> None:
    dark, light = np.zeros((1, 64, 64, 3), np.uint8), np.full((1, 64, 64, 3), 200, np.uint8)
    assert reconstruction_error(Reconstructions(dark, light)) == 200.0
    assert reconstruction_error(Reconstructions(light, dark)) == 200.0


def test_the_film_strip_begins_awake_and_ends_with_the_dream() -> None:
    film = frames(160)
    steps = horizon_steps(OpenLoop(film, film, 30))
    assert steps[0] == 29
    assert steps[-1] == 159
    assert list(steps) == sorted(set(steps))
    assert len(steps) <= 8
    assert horizon_steps(OpenLoop(film[:5], film[:5], 5)) == [4]
    assert horizon_steps(OpenLoop(film[:6], film[:6], 5)) == [4, 5]
