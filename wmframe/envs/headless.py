"""Import games without a screen, a sound card or a banner.

Called by: the specs, around what their `make` imports and opens.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def headless() -> Iterator[None]:
    """Let pygame run without a display, quietly; settings that the user has made stay.

    Box2D's bindings warn while they load, and crash the interpreter where warnings are errors.
    """
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
