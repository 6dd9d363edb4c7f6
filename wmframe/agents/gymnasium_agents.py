"""A run's dream as a Gymnasium environment: what `gymnasium.make("wmframe/Dream-v0", run=…)` calls.

A run's name comes in, an environment goes out. `wmframe.register` names these two by their dotted paths, so that
registering imports neither torch nor this.
"""

from collections.abc import Sequence
from typing import Any

from gymnasium.vector import AutoresetMode

from wmframe.agents.agent import Agent, load_agent
from wmframe.agents.find import find_run
from wmframe.engine.errors import UserError
from wmframe.worlds.gymnasium_dream import DreamEnv, DreamVectorEnv, dream_metadata


class _DreamMaker:
    """Makes one dream; an object, since Gymnasium looks for `metadata` on what it calls."""

    @property
    def metadata(self) -> dict[str, Any]:
        return dream_metadata()

    def __call__(
        self,
        *,
        run: str,
        temperature: float | None = None,
        horizon: int | None = None,
        allowed: Sequence[str] = (),
        render_mode: str | None = None,
    ) -> DreamEnv:
        """Open the dream of `run`: a folder, a name under runs/, or "latest".

        `temperature` and `horizon` default to the run's own. `allowed` names modules of yours that the run's config
        may load classes from. Raises UserError for a run that is not there, not finished or never dreamt.
        """
        agent = _agent(run, allowed)
        dream = agent.dream(temperature=temperature, horizon=horizon)
        return DreamEnv(dream=dream, actions=agent.env.actions, vision=agent.driver.vision, render_mode=render_mode)


dream_env = _DreamMaker()


def dream_vector_env(
    *,
    num_envs: int,
    run: str,
    temperature: float | None = None,
    horizon: int | None = None,
    allowed: Sequence[str] = (),
    autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
    render_mode: str | None = None,
) -> DreamVectorEnv:
    """Open `num_envs` lanes of a run's dream; all else as for one."""
    agent = _agent(run, allowed)
    return DreamVectorEnv(
        dream=agent.dream(temperature=temperature, horizon=horizon),
        num_envs=num_envs,
        actions=agent.env.actions,
        autoreset_mode=autoreset_mode,
        vision=agent.driver.vision,
        render_mode=render_mode,
    )


def _agent(run: str, allowed: Sequence[str]) -> Agent:
    if isinstance(allowed, str):  # whose letters would be taken for modules; a config's `env.kwargs` can hold no list
        raise UserError(f"allowed={allowed!r}: a list of modules is wanted")
    return load_agent(find_run(str(run)), allowed=("wmframe", *allowed))
