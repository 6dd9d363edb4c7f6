"""YAML files and command-line overrides become one plain, resolved config.

In: overrides as typed. Out: dicts, lists and scalars, nothing of Hydra's. Called by `cli.prepare`. Hydra
composes and does nothing else here: no working directory, no logging, no output folder. What a key may be is
`bind`'s business, so `a.b=1` always reaches it: a key that a signature has and no file mentions needs no `+`.
"""

import copy
import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import hydra
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType, RangeSweep
from omegaconf import DictConfig, OmegaConf

from wmframe.engine.config.ablation import find_ablation
from wmframe.engine.config.explain import dotted_keys, explain
from wmframe.engine.config.files import check_folder
from wmframe.engine.config.shipped import conf_dir
from wmframe.engine.config.suggest import did_you_mean, nearest
from wmframe.engine.config.touched import check_swept
from wmframe.engine.errors import UserError

NAME = "config"
MOST_JOBS = 10_000
OPTIONAL = frozenset({"preset", "experiment"})  # their files change other groups' keys and have none of their own
REFERENCE = re.compile(r"\$\{[\w.\[\]-]*\}")


def compose(overrides: Sequence[str], *, conf: Path | None = None, folders: Sequence[Path] = ()) -> dict[str, object]:
    """The whole config, interpolations resolved, as plain values.

    `conf` is the main folder (wmframe's own by default), `folders` are the user's, searched after it. Raises
    UserError for whatever is wrong with an override, a group's option, a file or an interpolation; keys and
    values are left for `bind` to judge.
    """
    with composing(conf=conf, folders=folders) as one:
        return one(overrides)


@contextmanager
def composing(
    *, conf: Path | None = None, folders: Sequence[Path] = ()
) -> Iterator[Callable[[Sequence[str]], dict[str, object]]]:
    """`compose` for many jobs: what they share, the files and the choice of files, is read once."""
    _check_folders([], folders)
    with _hydra(conf) as loader:
        shared = _Shared(loader)

        def one(overrides: Sequence[str]) -> dict[str, object]:
            if ablation := find_ablation(overrides, conf=conf, folders=folders):
                raise UserError(f"ablation={ablation.name} is a sweep: add -m. Alone, a run has one value of each key.")
            return _compose(_parse(overrides), shared, folders)

        yield one


def _compose(parsed: Sequence[Override], shared: "_Shared", folders: Sequence[Path]) -> dict[str, object]:
    _check_folders(parsed, ())
    with explain():
        search = _search(parsed, folders)
        lines = [_line(o, shared, search) for o in parsed if not _is_search(o)]
        _check_deletions(parsed, shared, search, lines)
        config = shared.config(search, lines)
        _check_raw(OmegaConf.to_container(config, resolve=False), shared, search)
        plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    if not isinstance(plain, dict):
        raise UserError(f"{NAME}.yaml is not a mapping")
    return {str(key): value for key, value in plain.items()}


def expand(overrides: Sequence[str], *, conf: Path | None = None, folders: Sequence[Path] = ()) -> list[list[str]]:
    """A sweep's jobs, each as its own overrides: the product of every `a=1,2`, `choice`, `range` and `glob`.

    `ablation=name` stands for what the file brings: its rows are one more factor of the product, the slowest.
    A job composes what the same words do alone. Raises UserError for a sweep that can't be counted (`interval`), has no
    jobs or more than ten thousand, or decides a key twice.
    """
    rows: list[list[str]] = [[]]
    ablation = find_ablation(overrides, conf=conf, folders=folders)
    if ablation is not None:
        overrides, rows = ablation.applied(overrides)
    parsed = check_sweep(overrides, list(itertools.chain(*rows)), conf=conf, folders=folders)
    with _hydra(conf) as loader, explain():
        groups = _Groups(loader, _search(parsed, folders))
        axes = []  # one for every override, not every key: a key may be merged into twice, as without -m
        for override in parsed:
            override.config_loader = groups  # type: ignore[assignment] # for glob(*) alone
            axes.append(_choices(override))
    jobs = len(rows) * math.prod(map(len, axes))
    if jobs == 0 or jobs > MOST_JOBS:
        raise UserError(f"this sweep has {jobs:,} jobs: between 1 and {MOST_JOBS:,} can be run at a time")
    return [[*row, *job] for row in rows for job in itertools.product(*axes)]


def check_sweep(
    overrides: Sequence[str], varied: Sequence[str] = (), *, conf: Path | None = None, folders: Sequence[Path] = ()
) -> list[Override]:
    """Return a sweep's overrides, parsed; UserError for a key decided twice. `varied`: those of an ablation's rows."""
    parsed = _parse(overrides)
    with _hydra(conf) as loader, explain():
        groups = _Groups(loader, _search(parsed, folders))
        check_swept(parsed, lambda key: bool(groups.get_group_options(key)), _parse(varied))
    return parsed


@contextmanager
def opened(conf: Path | None, folders: Sequence[Path]) -> Iterator[tuple[ConfigLoader, list[str]]]:
    """Hydra, started and put back as it was found, and the override that names the user's folders."""
    _check_folders([], folders)
    with _hydra(conf) as loader:
        yield loader, _search([], folders)


@contextmanager
def _hydra(conf: Path | None) -> Iterator[ConfigLoader]:
    """Hydra, started on a folder and put back as it was found."""
    folder = conf_dir() if conf is None else conf
    if not (folder / f"{NAME}.yaml").is_file():
        raise UserError(f"there is no {NAME}.yaml in {folder}")
    with hydra.initialize_config_dir(config_dir=str(folder.resolve()), version_base="1.3"):
        yield GlobalHydra.instance().config_loader()


class _Shared:
    """What the jobs of a sweep have in common, kept from one to the next: a group's options, a choice of files."""

    def __init__(self, loader: ConfigLoader) -> None:
        self._loader = loader
        self._known: dict[tuple[str, ...], list[str]] = {}
        self._composed: dict[tuple[str, ...], DictConfig] = {}

    def options(self, group: str, search: Sequence[str]) -> list[str]:
        """Return the names of a group's files, in alphabetical order."""
        if (group, *search) not in self._known:
            self._known[group, *search] = _options(group, self._loader, search)
        return self._known[group, *search]

    def config(self, search: Sequence[str], lines: Sequence[str]) -> DictConfig:
        """Return what Hydra composes of the lines. As Hydra does itself, files come first and then single values."""
        parsed = OverridesParser.create().parse_overrides(list(lines))
        values = [o for o in parsed if not self.options(o.key_or_group, search) or isinstance(o.value(), dict)]
        files = (*search, *(str(o.input_line) for o in parsed if o not in values))
        if files not in self._composed:
            self._composed[files] = hydra.compose(NAME, list(files))
        config = copy.deepcopy(self._composed[files])
        ConfigLoaderImpl._apply_overrides_to_config(values, config)
        return config


class _Groups:
    """What Hydra's glob sweep asks of a config loader, the user's folders included."""

    def __init__(self, loader: ConfigLoader, search: Sequence[str]) -> None:
        self.loader, self.search = loader, search

    def get_group_options(self, group: str, results_filter: object = None) -> list[str]:
        """The group's options; files only, whatever the filter."""
        return _options(group, self.loader, self.search)


def _parse(overrides: Sequence[str]) -> list[Override]:
    parsed = []
    for text in overrides:
        with explain(text):
            parsed += OverridesParser.create().parse_overrides([text])
        override = parsed[-1]
        key = override.key_or_group
        if re.split(r"[./]", key)[0] == "hydra" and not _is_search(override):
            raise UserError(
                f"{text}: of Hydra's own keys wmframe has hydra.searchpath and, in a sweep, hydra/launcher and "
                "hydra/sweeper.\n    Runs go to paths.root, sweeps are `wmframe run ... -m`, logs are the tracker's."
            )
        if override.package is not None or key == "":
            raise UserError(f"{text}: an override is key=value or group=option, with nothing before or between")
    return parsed


def _is_search(override: Override) -> bool:
    return override.key_or_group == "hydra.searchpath"


def _search(parsed: Sequence[Override], folders: Sequence[Path]) -> list[str]:
    """The one Hydra override left: the user's folders, from flags and from the overrides themselves."""
    places = [f"file://{folder.resolve()}" for folder in folders]
    for override in parsed:
        value = override.value() if _is_search(override) else []
        if not isinstance(value, list):
            raise UserError("hydra.searchpath must be a list: hydra.searchpath=[file://my_conf]")
        places += [str(place) for place in value]
    quoted = ("'" + place.replace("\\", "\\\\").replace("'", "\\'") + "'" for place in places)
    return [f"hydra.searchpath=[{','.join(quoted)}]"] if places else []


def _check_folders(parsed: Sequence[Override], folders: Sequence[Path]) -> None:
    """Hydra passes over a folder that isn't there in silence; here it is a mistake like any other."""
    named = [value for o in parsed if _is_search(o) for value in ([o.value()] if o.value() else [])]
    places = [str(place) for value in named if isinstance(value, list) for place in value]
    for folder in [
        *folders,
        *(Path(p.removeprefix("file://")) for p in places if not p.startswith("pkg://")),
    ]:
        if not folder.is_dir():
            raise UserError(f"{folder} is not a folder of YAML files (--config-dir, hydra.searchpath)")
        check_folder(folder)


def _options(group: str, loader: ConfigLoader, search: Sequence[str]) -> list[str]:
    return sorted(loader.get_group_options(group, config_name=NAME, overrides=list(search)))


def _line(override: Override, shared: _Shared, search: Sequence[str]) -> str:
    """The override as Hydra shall have it: options checked, plain keys set even where no file has them."""
    text = str(override.input_line)
    if override.is_sweep_override():
        raise UserError(
            f"{text} names several values."
            "\n    To sweep over them add -m; a list is key=[a,b]; a decimal is 0.5, not 0,5"
        )
    if override.type not in {OverrideType.CHANGE, OverrideType.ADD}:
        return text
    key, value = override.key_or_group, override.value()
    options = shared.options(key, search)
    if options and not isinstance(value, dict):
        _check_option(text, key, value, options)
        return text
    return f"++{text}" if override.type is OverrideType.CHANGE else text


def _check_option(text: str, group: str, value: object, options: Sequence[str]) -> None:
    if isinstance(value, str) and ("/" in value or value.removesuffix(".yaml") in options):
        return
    near = did_you_mean([f"{group}={name}" for name in nearest(str(value), options)])
    raise UserError(f"{text}: {group} has no such option.{near}\n    {group} is one of {', '.join(options)}")


def _choices(override: Override) -> list[str]:
    text = str(override.input_line)
    if not override.is_sweep_override():
        return [text]
    if not override.is_discrete_sweep():
        raise UserError(f"{text}: an interval has no end of values; list them, or use range(start,stop,step)")
    value = override.value()
    if isinstance(value, RangeSweep) and len(list(itertools.islice(value.range(), MOST_JOBS + 1))) > MOST_JOBS:
        raise UserError(f"{text}: more than {MOST_JOBS:,} values")
    key = override.get_key_element()
    return [f"{key}={value}" for value in override.sweep_string_iterator()]


def _check_deletions(parsed: Sequence[Override], shared: _Shared, search: Sequence[str], lines: Sequence[str]) -> None:
    """`~key` may take away what is there, and no group that the config is built of."""
    deleted = {str(o.input_line): o.key_or_group for o in parsed if o.is_delete()}
    if not deleted:
        return
    rest = shared.config(search, [line for line in lines if line not in deleted])
    known = list(dotted_keys(OmegaConf.to_container(rest, resolve=False)))
    for text, key in deleted.items():
        options = shared.options(key, search)
        if options and key not in OPTIONAL:
            raise UserError(f"{text}: {key} can be changed, not left out\n    {key} is one of {', '.join(options)}")
        if not options and key not in known:
            raise UserError(f"{text}: there is no such key.{did_you_mean(nearest(key, known))}")


def _check_raw(config: object, shared: _Shared, search: Sequence[str]) -> None:
    """What resolving would stumble over, or should not do: a file that is a list, a resolver."""
    for key, value in config.items() if isinstance(config, dict) else []:
        if isinstance(value, list) and shared.options(str(key), search):
            raise UserError(f"the file chosen for {key} holds a list, where keys and values are wanted")
    _refuse_resolvers(config, "")


def _refuse_resolvers(value: object, path: str) -> None:
    """Only `${some.key}`: a resolver such as `${oc.env:...}` would carry secrets into a manifest."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            _refuse_resolvers(item, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_resolvers(item, f"{path}.{index}")
    elif isinstance(value, str) and "${" in _without_references(value):
        raise UserError(f"{path}={value}: only ${{some.key}} is read here, no resolvers; pass the value itself")


def _without_references(text: str) -> str:
    """The text less its plain interpolations, the nested ones included."""
    while REFERENCE.search(text):
        text = REFERENCE.sub("_", text)
    return text
