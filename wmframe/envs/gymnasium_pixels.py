"""Any other Gymnasium environment with pixels, described by one YAML.

In: an id, and how to read its pixels. Out: frames (64, 64, 3) uint8, actions in [-1, 1]. Called by:
`EnvSpec.make`'s callers. Shapes: A action.
"""

from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal

from pydantic import NonNegativeInt, PositiveInt

from wmframe.envs.headless import headless
from wmframe.envs.spec import EnvSpec

if TYPE_CHECKING:
    from wmframe.envs.gymnasium_pixels_env import GymnasiumPixelsEnv


@dataclass(frozen=True, kw_only=True)
class GymnasiumPixels(EnvSpec):
    """A registered Gymnasium environment, cropped to some rows and resized (Pillow, BOX) to 64×64.

    Attributes:
        id: the registered name, such as "LunarLander-v3".
        action_size: for a Box, its length, mapped evenly from [-1, 1] to [low, high]; for Discrete(n), n
            (the largest entry wins) or 1 (n equal parts of [-1, 1]).
        action_repeat: frames an action is held for.
        max_frames: the time limit in frames; it replaces the registered one.
        pixels: "render" looks at the picture for people, "observation" at what the environment returns.
        skip_rows: rows left out at the top.
        keep_rows: rows kept below them; all of them if null.
        kwargs: passed on to `gymnasium.make`.
    """

    id: str
    action_size: PositiveInt
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

    def make(self) -> "GymnasiumPixelsEnv":
        """A fresh environment.

        Raises:
            UserError: the id is unknown or needs a package, `action_size` does not fit, or there are no
                pixels.
        """
        with headless():
            from wmframe.envs.gymnasium_pixels_env import GymnasiumPixelsEnv, open_inner

            return GymnasiumPixelsEnv(self, open_inner(self))
