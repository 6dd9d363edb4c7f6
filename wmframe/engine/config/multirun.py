"""Which launcher and which sweeper a multirun is given to, as Hydra's own groups `hydra/launcher` and `hydra/sweeper`.

In: overrides as typed. Out: those for Hydra apart from those for jobs, and Hydra's own config. Called by `cli.prepare`
and by whatever launches. Launchers and sweepers are Hydra's plugins, found and configured as in any Hydra app.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

import hydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Glob, IntervalSweep, Override, RangeSweep
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from omegaconf import DictConfig, OmegaConf, open_dict

from wmframe.engine.config.compose import NAME, opened
from wmframe.engine.config.explain import dotted_keys, explain
from wmframe.engine.config.suggest import did_you_mean, nearest
from wmframe.engine.errors import UserError

_HYDRAS = re.compile(r"\+{0,2}hydra[./](?:launcher|sweeper)\b")
_EXTRAS = {"joblib": "joblib", "submitit_local": "submitit", "submitit_slurm": "submitit"}
_QUIET = ("hydra/hydra_logging=none", "hydra/job_logging=none", "hydra.output_subdir=null")
"""Jobs speak for themselves, and their runs keep their configs. (`disabled` would silence loggers that are there.)"""


def part(overrides: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the overrides that are a job's, and those that say how jobs are found and launched."""
    hydras = [text for text in overrides if _HYDRAS.match(text)]
    return [text for text in overrides if text not in hydras], hydras


def hydra_config(hydras: Sequence[str], *, conf: Path | None = None, folders: Sequence[Path] = ()) -> DictConfig:
    """Return Hydra's own config, under the key `hydra`, with the launcher and the sweeper that are asked for.

    Raises UserError for one that is not there, or a key that it does not have.
    """
    groups = [text for text in hydras if "/" in text.partition("=")[0]]
    with opened(conf, folders) as (loader, search):
        for text in groups:
            group, _, name = text.lstrip("+").partition("=")
            if name in _EXTRAS and name not in loader.get_group_options(group):
                raise UserError(f"{text}: not installed here. Type pip install 'wmframe[{_EXTRAS[name]}]'")
        with explain():
            chosen = hydra.compose(NAME, [*search, *_QUIET, *groups], return_hydra_config=True)
            known = list(dotted_keys(OmegaConf.to_container(chosen, resolve=False)))
            _check_keys([text for text in hydras if text not in groups], known)
            config = hydra.compose(NAME, [*search, *_QUIET, *hydras], return_hydra_config=True)
    _check_targets(config, folders)
    with open_dict(config):
        return OmegaConf.create({"hydra": config.hydra})


def searches(config: DictConfig) -> bool:
    """Tell whether a sweeper chooses the jobs as it learns, rather than running all of a grid."""
    return not str(config.hydra.sweeper._target_).endswith(".BasicSweeper")


def samples(overrides: Sequence[str]) -> list[list[str]]:
    """Return a few jobs out of those that a search may ask for: every choice, and both ends of every range, once."""
    axes = [list(_ends(override)) for override in OverridesParser.create().parse_overrides(list(overrides))]
    longest = max(map(len, axes), default=1)
    return [list(job) for job in zip(*(islice(cycle(axis), longest) for axis in axes), strict=True)] or [[]]


def _check_keys(texts: Sequence[str], known: Sequence[str]) -> None:
    for text in texts:
        key = text.partition("=")[0]
        if key.lstrip("+").startswith("hydra.sweeper.params"):
            raise UserError(f"{text}: type what is to be swept over as overrides: seed=1,2,3")
        if key in known or key.startswith("+"):
            continue
        if key == "hydra.launcher.n_jobs":
            raise UserError(f"{text}: this launcher runs one job after the other; add hydra/launcher=joblib")
        place = key.rpartition(".")[0]
        its = [name for name in known if name.startswith(f"{place}.") and not name.endswith("_target_")]
        raise UserError(f"{text}: there is no such key.{did_you_mean(nearest(key, its))}\n    {', '.join(its) or ''}")


def _check_targets(config: DictConfig, folders: Sequence[Path]) -> None:
    """Refuse what a YAML file could have Hydra call: its launchers and sweepers are classes of installed plugins."""
    for name, kind in (("launcher", Launcher), ("sweeper", Sweeper)):
        part = OmegaConf.to_container(config.hydra[name], resolve=False)
        known = {f"{plugin.__module__}.{plugin.__qualname__}" for plugin in Plugins.instance().discover(kind)}
        targets = list(_targets(part))
        strange = [text for text in targets[:1] if text not in known] + (targets[1:] if folders else [])
        if strange:
            raise UserError(f"hydra/{name}: its file names the target {strange[0]}, and no file may name one here")


def _targets(value: object) -> Iterator[str]:
    """Every target in a config, the outermost first."""
    if isinstance(value, dict):
        if "_target_" in value:
            yield str(value["_target_"])
        for inner in value.values():
            yield from _targets(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _targets(inner)


def _ends(override: Override) -> Iterator[str]:
    key, value = override.get_key_element(), override.value()
    match value:
        case ChoiceSweep():
            yield from (f"{key}={choice}" for choice in override.sweep_string_iterator())
        case IntervalSweep(start=start, end=end):
            yield from (f"{key}={start}", f"{key}={end}")
        case RangeSweep():
            steps = [f"{key}={step}" for step in override.sweep_string_iterator()]
            yield from (steps[0], steps[-1])
        case Glob():
            raise UserError(f"{override.input_line}: a search needs its choices listed: choice(a,b)")
        case _:
            yield str(override.input_line)
