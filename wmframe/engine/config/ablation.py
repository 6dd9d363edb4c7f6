"""Ablations as files: which runs a figure is made of, and what the paper has to say beside them.

In: `ablation=temperature` among a sweep's overrides. Out: the overrides that the file brings, and the file's own words
for the table. Called by `compose.expand`, by the engine, which keeps `plain()` in sweep.json, and by the reports, which
make an `Ablation` of it again.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from wmframe.engine.config.bind import bind
from wmframe.engine.config.component import ConfigError
from wmframe.engine.config.files import check_folder, read_mapping
from wmframe.engine.config.shipped import conf_dir
from wmframe.engine.config.suggest import did_you_mean, nearest
from wmframe.engine.errors import UserError

GROUP = "ablation"


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """One file of conf/ablation.

    `title` says what is asked. `params` are keys and their values, comma-separated as in Hydra's own
    hydra.sweeper.params. `rows` are named sets of overrides that vary together. `shared` are overrides of every job;
    `when` adds more where an override was typed ("preset=quick"). What is typed wins over all but `rows`.

    `paper` gives the paper's numbers, `mean` and `std` of the score and perhaps of another (`other_mean`, `other_std`),
    by a row's name or an override ("world.temperature=0.1"); `source` says where they stand and how they were measured,
    or that there are none. `paper_env` is the target of the environment they were measured in, if that is one of ours:
    only beside runs in it is a difference worth naming. `name` is the file's own.
    """

    title: str
    source: str
    params: Mapping[str, str | int | float] = field(default_factory=dict)
    rows: Mapping[str, list[str]] = field(default_factory=dict)
    shared: Sequence[str] = ()
    when: Mapping[str, list[str]] = field(default_factory=dict)
    paper: Mapping[str, dict[str, float]] = field(default_factory=dict)
    paper_env: str = ""
    name: str = ""

    def plain(self) -> dict[str, object]:
        """Return what `Ablation(**plain)` makes it of again, as JSON could hold it."""
        return asdict(self)

    def applied(self, typed: Sequence[str]) -> tuple[list[str], list[list[str]]]:
        """Return the overrides of the whole sweep, and those of each row: one empty row where the file has none.

        Raises UserError for a typed override of a key that the rows vary, and for a sweep over what `when` goes by.
        """
        typed = [text for text in typed if _key(text) != GROUP]
        varied = {_key(text) for row in self.rows.values() for text in row}
        for text in typed:
            if _key(text) in varied:
                raise UserError(
                    f"{text}: {GROUP}={self.name} varies {_key(text)} itself. Leave it out, "
                    f"or write the sweep by hand: wmframe run -m {_key(text)}=..."
                )
            self._check_when(text)
        own = [*self.shared, *(more for text in typed for more in self.when.get(text, ()))]
        own += [f"{key}={values}" for key, values in self.params.items()]
        kept = {_key(text): text for text in own}
        for text in typed:
            kept.pop(_key(text), None)
        return [*kept.values(), *typed], [list(row) for row in self.rows.values()] or [[]]

    def _check_when(self, text: str) -> None:
        key, _, values = text.partition("=")
        if text in self.when:
            return
        for one in (f"{key}={value}" for value in re.split(r"[,()\s]+", values)):
            if one in self.when:
                raise UserError(
                    f"{text}: {GROUP}={self.name} sets {', '.join(self.when[one])} where {one} is typed, and could not "
                    f"do so for some jobs of a sweep alone. Run it once with {one} and once with the others."
                )

    def row_of(self, overrides: Sequence[str]) -> str:
        """Return the name of the row that a job's overrides make it part of, "" if there are no rows."""
        fitting = [name for name, row in self.rows.items() if set(row) <= set(overrides)]
        return max(fitting, key=lambda name: len(self.rows[name]), default="")


def find_ablation(
    overrides: Sequence[str], *, conf: Path | None = None, folders: Sequence[Path] = ()
) -> Ablation | None:
    """Return the ablation that the overrides name, None if they name none.

    `conf` is the main folder (wmframe's own by default), `folders` are the user's, searched after it. Raises UserError
    for two names, an unknown one, or a file that is no ablation.
    """
    names = [text.partition("=")[2] for text in overrides if _key(text) == GROUP]
    if not names:
        return None
    if len(names) > 1 or "," in names[0]:
        raise UserError(f"{GROUP}={','.join(names)}: one ablation at a time, each is a sweep of its own")
    for folder in folders:
        check_folder(folder)
    places = [folder / GROUP for folder in (conf or conf_dir(), *folders)]
    found = {path.stem: path for place in reversed(places) for path in sorted(place.glob("*.yaml"))}
    if names[0] not in found:
        near = did_you_mean([f"{GROUP}={name}" for name in nearest(names[0], list(found))])
        known = ", ".join(sorted(found)) or "nothing: there are no files"
        raise UserError(f"{GROUP}={names[0]}: there is no such ablation.{near}\n    {GROUP} is one of {known}")
    return _read(found[names[0]])


def _read(path: Path) -> Ablation:
    plain = read_mapping(path)
    return replace(read_ablation(plain, path), name=path.stem)


def read_ablation(plain: Mapping[str, object], file: Path) -> Ablation:
    """Return the ablation that was found as plain data in a file, or raise UserError."""
    try:
        bound = bind(plain, target=f"{Ablation.__module__}.{Ablation.__name__}")
    except ConfigError as error:
        raise UserError(f"{file}: {error}") from error
    made = Ablation(**bound.arguments)  # type: ignore[arg-type]  # binding has seen to it
    for row, numbers in made.paper.items():
        means, stds = ({name.removesuffix(end) for name in numbers if name.endswith(end)} for end in ("mean", "std"))
        if means != stds or "" not in means or len(numbers) != 2 * len(means):
            raise UserError(f"{file}: paper.{row} needs mean and std, and may have pairs like other_mean and other_std")
    return made


def _key(override: str) -> str:
    return override.partition("=")[0].lstrip("+")
