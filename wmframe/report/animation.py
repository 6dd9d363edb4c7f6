"""Moving pictures: truth, dream and error side by side, as animated WebP or GIF.

In: uint8 episodes (T, H, W, 3). Out: composed frames, bytes or a file. Called by `wmframe.report.page` and by
`wmframe watch`. A border tells who is seeing: blue while real frames come in (awake), orange once M goes on
alone (dreaming).
"""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from wmframe.engine.durability.files import write_atomic
from wmframe.engine.errors import UserError
from wmframe.report.contents import Frames
from wmframe.report.pictures import enlarge

Format = Literal["WEBP", "GIF"]
FORMATS: Mapping[str, Format] = {".webp": "WEBP", ".gif": "GIF"}

GAIN = 3  # an error that matters is a few tens of 255: too dark to be seen as it is
BORDER, GAP, HEAD, FOOT, EDGE = 4, 14, 30, 32, 16
GROUND, TEXT, AWAKE, DREAMING = (20, 21, 24), (214, 215, 218), (110, 168, 254), (240, 164, 75)


def absolute_error(truth: Frames, dream: Frames, *, gain: int = 1) -> Frames:
    """Return gain·|truth - dream| averaged over the colours, as grey uint8, at most 255, (..., H, W, 3)."""
    grey = gain * np.abs(truth.astype(np.int16) - dream.astype(np.int16)).mean(axis=-1, keepdims=True)
    return np.repeat(np.minimum(grey, 255).round().astype(np.uint8), 3, axis=-1)


def side_by_side(truth: Frames, dream: Frames, *, primed_steps: int, scale: int = 4) -> Iterator[Frames]:
    """Yield one composed picture a step: truth | dream | absolute error, both inputs uint8 (T, H, W, 3)."""
    columns = {
        "truth": truth,
        "dream": dream,
        f"absolute error, {GAIN} times brighter": absolute_error(truth, dream, gain=GAIN),
    }
    return panels(columns, primed_steps=primed_steps, scale=scale)


def panels(columns: Mapping[str, Frames], *, primed_steps: int, scale: int = 4) -> Iterator[Frames]:
    """Yield one picture (H', W', 3) a step: the named episodes (T, H, W, 3) beside each other, enlarged.

    The border changes from blue to orange at step `primed_steps`: give 0 for a dream from its first step, T
    for an episode that is awake throughout. Below stand the step, counted from 1, and the same in words.
    Labels are best plain ASCII: the built-in font has little else.
    """
    films = [enlarge_lazily(film, scale) for film in columns.values()]
    total = len(next(iter(columns.values())))
    for step, frames in enumerate(zip(*films, strict=True)):
        awake = step < primed_steps
        below = ("awake: sees real frames" if awake else "dreaming: M alone", f"step {step + 1} of {total}")
        yield _compose(tuple(columns), frames, below, AWAKE if awake else DREAMING)


def captioned(label: str, film: Frames, captions: Sequence[tuple[str, str]], *, scale: int = 4) -> Iterator[Frames]:
    """Yield one picture (H', W', 3) a frame of a real episode (T, H, W, 3), with its caption below: left and right."""
    for frame, below in zip(enlarge_lazily(film, scale), captions, strict=True):
        yield _compose((label,), (frame,), below, AWAKE)


def enlarge_lazily(film: Frames, scale: int) -> Iterator[Frames]:
    """Yield each frame of (T, H, W, 3) with every pixel repeated `scale` times both ways."""
    return (enlarge(frame, scale) for frame in film)


def _compose(
    labels: tuple[str, ...], frames: tuple[Frames, ...], below: tuple[str, str], colour: tuple[int, int, int]
) -> Frames:
    height, width = frames[0].shape[:2]
    cell = width + 2 * BORDER
    size = (2 * EDGE + len(frames) * cell + (len(frames) - 1) * GAP, HEAD + height + 2 * BORDER + FOOT)
    picture = Image.new("RGB", size, GROUND)
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(15)
    for index, (label, frame) in enumerate(zip(labels, frames, strict=True)):
        left = EDGE + index * (cell + GAP)
        pen.text((left, HEAD / 2), label, fill=TEXT, font=font, anchor="lm")
        pen.rectangle((left, HEAD, left + cell - 1, HEAD + height + 2 * BORDER - 1), fill=colour)
        picture.paste(Image.fromarray(frame), (left + BORDER, HEAD + BORDER))
    middle = size[1] - FOOT / 2
    pen.text((EDGE, middle), below[0], fill=colour, font=font, anchor="lm")
    pen.text((size[0] - EDGE, middle), below[1], fill=TEXT, font=font, anchor="rm")
    return np.asarray(picture, np.uint8)


def best_format() -> Format:
    """Return WEBP where this Pillow was built with it, else GIF."""
    return "WEBP" if features.check("webp") else "GIF"


def encode(frames: Iterable[Frames], *, fps: float, kind: Format) -> bytes:
    """Return the frames (H, W, 3), at least one, as an animation that repeats for ever.

    GIF knows 256 colours and hundredths of a second. Raises ValueError for no frames.
    """
    pictures = [Image.fromarray(frame) for frame in frames]
    if len(pictures) == 0:
        raise ValueError("an animation needs at least one frame")
    unit = 10 if kind == "GIF" else 1
    milliseconds = max(2 * unit, unit * round(1000 / fps / unit))
    options = {"quality": 75, "method": 2} if kind == "WEBP" else {}
    buffer = io.BytesIO()
    pictures[0].save(
        buffer,
        format=kind,
        save_all=True,
        append_images=pictures[1:],
        duration=milliseconds,
        loop=0,
        **options,
    )
    return buffer.getvalue()


def write_animation(path: Path, frames: Iterable[Frames], fps: float) -> Path:
    """Write uint8 frames (H, W, 3) to `path`, whole or not at all; its suffix, .webp or .gif, is the format.

    The frames are held in memory until they are written. Raises UserError for any other suffix, before a
    frame is made.
    """
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        valid = " or ".join(FORMATS)
        raise UserError(
            f"Cannot write a video as {path.suffix or 'a file without a suffix'}: {path}\n"
            f"The suffix must be {valid}. Try: {path.with_suffix('.webp')}"
        )
    if kind == "WEBP" and best_format() != "WEBP":
        raise UserError(f"This Pillow cannot write WebP. Try: {path.with_suffix('.gif')}")
    if fps <= 0:
        raise UserError(f"fps must be above 0, not {fps}. Try: 20")
    data = encode(frames, fps=fps, kind=kind)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, data)
    return path
