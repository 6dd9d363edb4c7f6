"""Frames as pictures inside the page: PNG tiles, scaled up pixel by pixel, as data: addresses.

In: uint8 frames (N, H, W, 3). Out: strings for an `src`. Called by `wmframe.report.page`.
"""

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from wmframe.report.contents import Frames, OpenLoop, Reconstructions

SCALE = 2
GAP = 6  # pixels
MAX_TILES = 32
STRIP_TILES = 8


def enlarge(frames: Frames, scale: int) -> Frames:
    """Repeat every pixel of (..., H, W, 3) `scale` times both ways: (..., scale·H, scale·W, 3)."""
    return frames.repeat(scale, axis=-3).repeat(scale, axis=-2)


def data_uri(kind: str, data: bytes) -> str:
    """Return bytes as a data: address of the given media type, such as "image/png"."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def png_bytes(picture: Frames) -> bytes:
    """Return one picture (H, W, 3), or (H, W, 4) with opacity, as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def png(picture: Frames) -> str:
    """Return one picture (H, W, 3), or (H, W, 4) with opacity, as a data: address."""
    return data_uri("image/png", png_bytes(picture))


def sheet(rows: Sequence[Frames]) -> Frames:
    """Return rows of frames, each (N, H, W, 3), as one picture (H', W', 3), two white pixels between them."""
    tiles = [np.pad(row, ((0, 0), (0, 2), (0, 2), (0, 0)), constant_values=255) for row in rows]
    return np.concatenate([np.concatenate(list(row), axis=1) for row in tiles], axis=0)


def samples(frames: Frames) -> Sequence[str]:
    """Return the first frames (N, H, W, 3) as one tile each."""
    return [png(enlarge(frame, SCALE)) for frame in frames[:MAX_TILES]]


def strip(frames: Frames) -> str:
    """Return frames (N, H, W, 3) side by side as one picture, not enlarged, thin gaps between them."""
    opaque = np.pad(frames, ((0, 0), (0, 0), (0, 0), (0, 1)), constant_values=255)
    tiles = np.pad(opaque, ((0, 0), (0, 0), (0, GAP // 2), (0, 0)))
    return png(np.concatenate(list(tiles), axis=1)[:, : -(GAP // 2)])


def pairs(above: Frames, below: Frames) -> Sequence[str]:
    """Return tiles of one frame over another, (N, H, W, 3) both, a thin gap between them."""
    tiles = []
    for top, bottom in zip(above[:MAX_TILES], below[:MAX_TILES], strict=True):
        height, width = SCALE * top.shape[0], SCALE * top.shape[1]
        tile = np.zeros((2 * height + GAP, width, 4), np.uint8)  # transparent: the page shows through the gap
        tile[:height, :, :3], tile[-height:, :, :3] = enlarge(top, SCALE), enlarge(bottom, SCALE)
        tile[:height, :, 3] = tile[-height:, :, 3] = 255
        tiles.append(png(tile))
    return tiles


def mean_error(ours: Frames, theirs: Frames) -> float:
    """Return the mean absolute difference of all pixels, in grey levels (0-255)."""
    return float(np.abs(ours.astype(np.int16) - theirs.astype(np.int16)).mean())


def reconstruction_error(pair: Reconstructions) -> float:
    """Return how far the reconstructions are from their frames, in grey levels (0-255)."""
    return mean_error(pair.frames, pair.reconstructions)


def horizon_steps(loop: OpenLoop) -> Sequence[int]:
    """Return at most eight steps for a film strip: the last primed one, then ever farther ones."""
    last, first = len(loop.truth) - 1, loop.primed_steps - 1
    if last == first:
        return [first]
    ahead = np.geomspace(1, last - first, STRIP_TILES - 1).round().astype(int)
    return [first, *sorted({first + int(step) for step in ahead})]
