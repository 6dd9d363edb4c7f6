"""The dream as Gymnasium environments, so that any other RL library can train in it.

A `Dream` (and V, to paint it) comes in; NumPy observations, rewards and ends go out. A run's own dream is opened by
`wmframe.agents.gymnasium_agents`; both are registered as "wmframe/Dream-v0" (`wmframe.register`).
Legend: B lanes, F features, A action.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import gymnasium
import numpy as np
import torch
from gymnasium.error import ResetNeeded, UnsupportedMode
from gymnasium.spaces import Box, Discrete, Space
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray
from torch import Tensor

from wmframe.data.seeds import draw_seeds
from wmframe.envs.spec import ActionKind
from wmframe.vision.contract import Vision
from wmframe.worlds.dream import Dream

Features = NDArray[np.float32]
Frame = NDArray[np.uint8]

RENDER_MODES: Final = ("rgb_array",)
_FPS: Final = 50


class DreamEnv(gymnasium.Env[Features, Any]):
    """One dream at a time. Observations are the features (F,) that the controller sees.

    Actions (A,) lie in [-1, 1], and are clipped to that: M has seen none beyond, and what it makes of one is nothing to
    learn from. With `actions` discrete an action is one of A numbers. `terminated` is M's done, `truncated` the
    horizon. With `vision` and render_mode "rgb_array", V paints the dream.
    """

    def __init__(
        self,
        *,
        dream: Dream,
        actions: ActionKind = "box",
        vision: Vision | None = None,
        render_mode: str | None = None,
    ) -> None:
        self.metadata = dream_metadata()
        self._dream, self._painter = dream, _Painter(vision, render_mode)
        self.render_mode = render_mode
        self.observation_space = _observations(dream)
        self.action_space = _actions(dream, actions)

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Features, dict[str, Any]]:
        """Begin the dream named by `seed`; without one, the next of the stream that the last seed began."""
        super().reset(seed=seed)
        return _array(self._dream.reset([_dream_seed(seed, self.np_random)]).features)[0], {}

    def step(self, action: NDArray[np.float32] | int) -> tuple[Features, float, bool, bool, dict[str, Any]]:
        """Let M take one action (A,)."""
        step = self._dream.step(_told(np.asarray(action)[None], self.action_space))
        truncated = bool(self._dream.timed_out[0])
        return _array(step.features)[0], float(step.reward[0]), bool(step.done[0]) and not truncated, truncated, {}

    def render(self) -> Frame | None:
        """What V makes of the dream, (H, W, channels) uint8; None without a render mode."""
        frames = self._painter.paint(self._dream)
        return None if frames is None else frames[0]


class DreamVectorEnv(VectorEnv[Features, Any, NDArray[Any]]):
    """`num_envs` dreams in one batch, each lane the `DreamEnv` of its own seeds, whatever the others do.

    All of Gymnasium's autoreset modes: NEXT_STEP (its default: the step after an end ignores the lane's action,
    rewards 0 and returns the next dream's first features), SAME_STEP (the end's own features are in
    `infos["final_obs"]`) and DISABLED (`reset(options={"reset_mask": mask})` begins anew where mask (B,) is True).
    """

    def __init__(
        self,
        *,
        dream: Dream,
        num_envs: int,
        actions: ActionKind = "box",
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        vision: Vision | None = None,
        render_mode: str | None = None,
    ) -> None:
        self.num_envs, self.render_mode = num_envs, render_mode
        self._dream, self._painter, self._mode = dream, _Painter(vision, render_mode), AutoresetMode(autoreset_mode)
        self.metadata = {**dream_metadata(), "autoreset_mode": self._mode}
        self.single_observation_space, self.single_action_space = _observations(dream), _actions(dream, actions)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._chance: list[np.random.Generator] = []
        self._over = np.zeros(num_envs, np.bool_)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Features, dict[str, Any]]:
        """Begin a dream in every lane, or in those of `options["reset_mask"]`.

        `seed` is one per lane (None: the next of the lane's stream), or lane i gets `seed` + i.
        """
        super().reset(seed=seed if isinstance(seed, int) else None)
        seeds = self._lane_seeds(seed)
        mask = None if options is None else options.get("reset_mask")
        if mask is not None:
            return self._restart(self._masked(mask), seeds), {}
        self._chance = self._chance or [seeding.np_random()[0] for _ in seeds]
        self._over[:] = False
        begun = self._dream.reset([self._next_seed(lane, given) for lane, given in enumerate(seeds)])
        return _array(begun.features), {}

    def step(
        self, actions: NDArray[Any]
    ) -> tuple[Features, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Let M take actions (B, A); ends and new beginnings as the autoreset mode says."""
        if not self._chance:
            raise ResetNeeded("call reset() before the first step()")
        if self._mode is AutoresetMode.DISABLED and self._over.any():
            raise ResetNeeded(f"lanes {np.flatnonzero(self._over).tolist()} have ended; reset them by reset_mask")
        step = self._dream.step(_told(actions, self.single_action_space))
        seen, rewards = _array(step.features), _array(step.reward).astype(np.float64)
        truncated = _array(self._dream.timed_out)
        terminated = _array(step.done) & ~truncated
        infos: dict[str, Any] = {}
        if self._mode is AutoresetMode.NEXT_STEP and self._over.any():
            lanes = np.flatnonzero(self._over)
            terminated[lanes] = truncated[lanes] = False
            seen = self._restart(lanes)
        self._over = terminated | truncated
        if self._mode is AutoresetMode.SAME_STEP and self._over.any():
            lanes = np.flatnonzero(self._over)
            for lane in lanes.tolist():
                infos = self._add_info(infos, {"final_obs": seen[lane].copy(), "final_info": {}}, lane)
            seen = self._restart(lanes)
        return seen, rewards, terminated, truncated, infos

    def render(self) -> tuple[Frame, ...] | None:
        """What V makes of each lane's dream, B times (H, W, channels) uint8; None without a render mode."""
        return self._painter.paint(self._dream)

    def _restart(self, lanes: NDArray[np.intp], seeds: Sequence[int | None] | None = None) -> Features:
        drawn = [self._next_seed(lane, None if seeds is None else seeds[lane]) for lane in lanes]
        self._over[lanes] = False
        return _array(self._dream.restart(lanes.tolist(), drawn))

    def _next_seed(self, lane: int, given: int | None) -> int:
        if given is not None:
            self._chance[lane] = seeding.np_random(given)[0]
        return _dream_seed(given, self._chance[lane])

    def _lane_seeds(self, seed: int | Sequence[int | None] | None) -> Sequence[int | None]:
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, int):
            return [seed + lane for lane in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise ValueError(f"{len(seed)} seeds for {self.num_envs} lanes: give one each, or a single number")
        return seed

    def _masked(self, mask: NDArray[np.bool_]) -> NDArray[np.intp]:
        if not self._chance:
            raise ResetNeeded("reset every lane before some of them")
        if mask.shape != (self.num_envs,) or mask.dtype != np.bool_ or not mask.any():
            raise ValueError(f"reset_mask must be ({self.num_envs},) of bool with at least one True, not {mask!r}")
        return np.flatnonzero(mask)


def dream_metadata() -> dict[str, Any]:
    """Return what Gymnasium wants to know of a dream before it is made."""
    return {"render_modes": list(RENDER_MODES), "render_fps": _FPS}


class _Painter:
    """V, if the dream is to be seen."""

    def __init__(self, vision: Vision | None, render_mode: str | None) -> None:
        if render_mode is not None and render_mode not in RENDER_MODES:
            raise UnsupportedMode(f"render_mode={render_mode!r}: a dream can be shown as {', '.join(RENDER_MODES)}")
        if render_mode is not None and vision is None:
            raise UnsupportedMode(f"render_mode={render_mode!r} needs a V to paint the dream: pass `vision`")
        self._vision = vision if render_mode is not None else None

    @torch.inference_mode()
    def paint(self, dream: Dream) -> tuple[Frame, ...] | None:
        return None if self._vision is None else tuple(_array(self._vision.decode(dream.latent)))


def _observations(dream: Dream) -> Box[np.float32]:
    return Box(-np.inf, np.inf, (dream.feature_size,), np.float32)


def _actions(dream: Dream, kind: ActionKind) -> Space[Any]:
    return Discrete(dream.action_size) if kind == "discrete" else Box(-1.0, 1.0, (dream.action_size,), np.float32)


def _dream_seed(given: int | None, chance: np.random.Generator) -> int:
    """Return the given seed, or draw one of the train stream: no dream of training is one that scores are from."""
    return draw_seeds("train", ("gymnasium", int(chance.integers(2**63))), 1)[0] if given is None else given


def _told(actions: NDArray[Any], space: Space[Any]) -> Tensor:
    """Return what M is told (B, A) of actions (B, A), or of choices (B,)."""
    if isinstance(space, Discrete):
        return torch.eye(int(space.n))[torch.as_tensor(actions)]
    return torch.from_numpy(np.clip(np.asarray(actions, np.float32), -1.0, 1.0))


def _array(tensor: Tensor) -> NDArray[Any]:
    """Return a copy that the caller may keep and change."""
    return tensor.cpu().numpy().copy()
