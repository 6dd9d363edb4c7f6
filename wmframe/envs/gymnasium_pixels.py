"""Any other Gymnasium environment with pixels, described by one YAML.

In: an id, and how to read its pixels. Out: frames (H, W, channels) uint8, actions in [-1, 1]. Called by:
`EnvSpec.make`'s callers. Shapes: A action.
"""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeInt, PositiveInt

from wmframe.engine.errors import UserError
from wmframe.envs.headless import headless
from wmframe.envs.spec import Action, ActionKind, EnvSpec, Frame, Simulator

if TYPE_CHECKING:
    from wmframe.envs.pixel_env import PixelEnv


@dataclass(frozen=True, kw_only=True)
class GymnasiumPixels(EnvSpec):
    """A registered Gymnasium environment, cropped to some rows and resized (Pillow, BOX) to `frame_shape`.

    Attributes:
        id: the registered name, such as "LunarLander-v3".
        action_size: for a Box, its length, mapped evenly from [-1, 1] to [low, high]; for Discrete(n), n, with
            `actions` discrete, or 1 (n equal parts of [-1, 1]).
        action_repeat: frames an action is held for.
        max_frames: the time limit in frames; it replaces the registered one.
        frame_shape: what its pictures are made: (height, width, 3), or 1 for grey.
        pixels: "render" looks at the picture for people, "observation" at what the environment returns.
        skip_rows: rows left out at the top.
        keep_rows: rows kept below them; all of them if null.
        kwargs: passed on to `gymnasium.make`.
    """

    id: str
    action_size: PositiveInt
    actions: ActionKind = "box"
    action_repeat: PositiveInt = 1
    max_frames: PositiveInt = 1000
    pixels: Literal["render", "observation"] = "render"
    skip_rows: NonNegativeInt = 0
    keep_rows: PositiveInt | None = None
    kwargs: dict[str, bool | int | float | str | None] = field(default_factory=dict)

    @property
    def backend(self) -> str:
        """Gymnasium's version, the id, and which pixels."""
        return f"gymnasium-{version('gymnasium')}/{self.id}/{self.pixels}"

    def make(self) -> "PixelEnv":
        """A fresh environment.

        Raises:
            UserError: the id is unknown or needs a package, `action_size` does not fit, or there are no
                pixels.
        """
        with headless():
            from wmframe.envs.pixel_env import PixelEnv

            return PixelEnv(self, GymnasiumSimulator(self))


class GymnasiumSimulator(Simulator):
    """Gymnasium's environment as `spec` says, its pictures made small and its actions mapped.

    Raises:
        UserError: see `GymnasiumPixels.make`.
    """

    def __init__(self, spec: GymnasiumPixels) -> None:
        self.spec = spec
        self.inner = open_inner(spec)
        self.translate = action_map(spec, self.inner.action_space)
        self.observation: Any = None

    def begin(self, seed: int) -> None:
        """Reset the inner environment."""
        self.observation, _ = self.inner.reset(seed=seed)

    def advance(self, action: Action) -> tuple[float, bool, bool]:
        """Step the inner environment once."""
        self.observation, reward, terminated, truncated, _ = self.inner.step(self.translate(action))
        return float(reward), bool(terminated), bool(truncated)

    def frame(self) -> Frame:
        """Crop and resize; each pixel is the mean of the area it covers."""
        shown = self.inner.render() if self.spec.pixels == "render" else self.observation
        picture = check_picture(self.spec, shown)
        start, count = self.spec.skip_rows, self.spec.keep_rows
        end = len(picture) if count is None else start + count
        if not start < end <= len(picture):
            raise UserError(
                f"env: skip_rows {start} and keep_rows {count} reach beyond the {len(picture)} rows of {self.spec.id}"
            )
        from PIL import Image

        height, width, channels = self.spec.frame_shape
        image = Image.fromarray(np.ascontiguousarray(picture[start:end]))
        small = image.resize((width, height), Image.Resampling.BOX)
        return np.array(small if channels == 3 else small.convert("L")).reshape(self.spec.frame_shape)

    def picture(self) -> Frame:
        """The inner environment's picture for people (H, W, 3)."""
        if self.inner.render_mode is None:
            return self.frame()
        return check_picture(self.spec, self.inner.render())

    def close(self) -> None:
        """Close the inner environment."""
        self.inner.close()


def open_inner(spec: GymnasiumPixels) -> Any:
    """Gymnasium's environment, without its own time limit.

    Raises:
        UserError: it is unknown, or can't be made.
    """
    import gymnasium

    if ":" in spec.id:
        raise UserError(
            f"env.id={spec.id}: the form module:id would import a module named in a configuration. "
            f"Import it yourself, and write env.id={spec.id.partition(':')[2]}"
        )
    if spec.id not in gymnasium.registry:
        near = difflib.get_close_matches(spec.id, list(gymnasium.registry), n=3, cutoff=0.3)
        raise UserError(f"env.id={spec.id} is not registered with Gymnasium. Nearest: {', '.join(near) or 'none'}")
    mode = "rgb_array" if spec.pixels == "render" else None
    try:
        return gymnasium.make(spec.id, max_episode_steps=-1, disable_env_checker=True, render_mode=mode, **spec.kwargs)
    except (gymnasium.error.Error, ImportError, TypeError, ValueError) as problem:
        raise UserError(f"env.id={spec.id} with kwargs {spec.kwargs} can't be made: {problem}") from problem


def check_picture(spec: GymnasiumPixels, picture: Any) -> Frame:
    """The picture, if it is one.

    Raises:
        UserError: it is not an array (H, W, 3) uint8.
    """
    if isinstance(picture, np.ndarray) and picture.shape[2:] == (3,) and picture.dtype == np.uint8:
        return picture
    other = "render" if spec.pixels == "observation" else "observation"
    raise UserError(
        f"env.pixels={spec.pixels}: {spec.id} gives no picture (H, W, 3) uint8 there, "
        f"but {describe(picture)}; try env.pixels={other}"
    )


def describe(thing: Any) -> str:
    """A few words on what came instead of a picture."""
    return f"an array {thing.shape} {thing.dtype}" if isinstance(thing, np.ndarray) else type(thing).__name__


def action_map(spec: GymnasiumPixels, space: Any) -> Callable[[Action], Any]:
    """From an action (A,) in [-1, 1] to one of the inner environment's.

    Raises:
        UserError: `action_size` does not fit the space, or nothing would.
    """
    import gymnasium

    if isinstance(space, gymnasium.spaces.Discrete):
        choices = int(space.n)
        check_fit(spec, space, {"discrete": choices, "box": 1})
        if spec.actions == "discrete":
            return lambda action: int(space.start) + int(np.argmax(action))
        return lambda action: int(space.start) + equal_part(float(action[0]), choices)
    if isinstance(space, gymnasium.spaces.Box) and len(space.shape) == 1 and space.is_bounded():
        check_fit(spec, space, {"box": space.shape[0]})
        low, high = space.low, space.high
        return lambda action: stretch(action, low, high).astype(space.dtype)
    raise UserError(f"env.id={spec.id}: its actions, {space}, are neither Discrete nor a bounded Box of one dimension")


def check_fit(spec: GymnasiumPixels, space: Any, fitting: Mapping[ActionKind, int]) -> None:
    """Raise a `UserError` unless `action_size` is the one that fits this kind of actions, of those that fit at all."""
    if fitting.get(spec.actions) == spec.action_size:
        return
    right = " or ".join(f"env.actions={kind} env.action_size={size}" for kind, size in fitting.items())
    raise UserError(
        f"env.actions={spec.actions} env.action_size={spec.action_size} does not fit {spec.id}, whose actions are "
        f"{space}; try {right}"
    )


def equal_part(value: float, parts: int) -> int:
    """Which of `parts` equal parts of [-1, 1] holds the value; the ends belong to the outer ones."""
    return min(max(int((value + 1.0) / 2.0 * parts), 0), parts - 1)


def stretch(action: Action, low: NDArray[Any], high: NDArray[Any]) -> NDArray[np.float64]:
    """Evenly from [-1, 1] to [low, high], clipped."""
    share = (np.clip(action, -1.0, 1.0).astype(np.float64) + 1.0) / 2.0
    return np.asarray(low + share * (np.asarray(high, np.float64) - low), np.float64)
