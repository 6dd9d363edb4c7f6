"""The plugin that Hydra finds: what `hydra.sweeper` may hold, and the sweeper made of it.

Hydra imports this module whenever it starts, so Nevergrad is imported where it is used.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.core.utils import JobStatus
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


@dataclass
class NevergradConf:
    """`hydra.sweeper`: `budget` candidates, `num_workers` asked for at a time before any of them is told.

    `optimizer` is any name of Nevergrad's registry; NGOpt itself breaks off at some budgets with numpy 2.4. The score
    is maximised, or minimised with `maximize=false`; in wmframe it is the run's `quantity`: the mean of one of its
    scores ("reality", "dream"), or one of its stages' metrics ("fit/error"). At the end the optimizer's recommendation
    runs once more with `confirm` added, by default what the recipe says (`Recipe.unseen`): with another seed and on
    other tracks, say, so that its score is not the one that it was chosen for.
    """

    _target_: str = "hydra_plugins.wmframe_nevergrad.sweeper.NevergradSweeper"
    optimizer: str = "NGOpt4"
    budget: int = 30
    num_workers: int = 1
    seed: int = 0
    maximize: bool = True
    quantity: str = "reality"
    confirm: list[str] | None = None


ConfigStore.instance().store(group="hydra/sweeper", name="nevergrad", node=NevergradConf, provider="wmframe")


class NevergradSweeper(Sweeper):
    """Asks Nevergrad for jobs, tells it their scores, and keeps both, so that it goes on where it was killed."""

    launcher: Launcher

    def __init__(
        self,
        *,
        optimizer: str,
        budget: int,
        num_workers: int,
        seed: int,
        maximize: bool,
        quantity: str,
        confirm: Sequence[str] | None,
    ) -> None:
        self._optimizer, self._budget, self._workers, self._seed = optimizer, budget, num_workers, seed
        self._sign, self._confirm = (-1.0 if maximize else 1.0), list(confirm or ())

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Take Hydra's launcher and the sweep's folder."""
        self._folder = Path(str(config.hydra.sweep.dir))
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        """Search for the best values of the arguments that are ranges."""
        from hydra_plugins.wmframe_nevergrad._search import Search
        from hydra_plugins.wmframe_nevergrad._space import Space, with_changes

        space = Space(arguments)
        search = Search(space, self._optimizer, self._budget, self._workers, self._seed, self._folder / "search.jsonl")
        recommended = search.minimise(self._losses)
        self.launcher.launch([with_changes(recommended, self._confirm)], initial_job_idx=self._budget)

    def _losses(self, jobs: Sequence[Sequence[str]], first: int) -> list[float | None]:
        """Return a loss for every job, None for one that failed."""
        returned = self.launcher.launch(jobs, initial_job_idx=first)
        return [self._sign * float(r.return_value) if r.status == JobStatus.COMPLETED else None for r in returned]
