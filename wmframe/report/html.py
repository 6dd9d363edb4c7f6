"""Jinja2 as every page of ours uses it: this folder's templates, everything escaped, nothing undefined passed over.

In: a template's name and values. Out: HTML text. Called by `wmframe.report.page` and `wmframe.report.sweep_page`.
"""

from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

import wmframe
from wmframe.report.curves import look_of
from wmframe.report.numbers import duration, number, signed
from wmframe.report.outline import outline
from wmframe.report.statistics import Summary


def fill(template: str, *styles: str, **values: object) -> str:
    """Return a template of this folder with its values filled in; `styles` are its style sheets, one after another."""
    environment = Environment(
        loader=FunctionLoader(_own_file),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(number=number, signed=signed, duration=duration, outline=outline, mean_sd=_mean_sd)
    environment.globals.update(look_of=look_of)
    style = Markup("".join(map(_own_file, styles)))  # noqa: S704  files of this package
    return environment.get_template(template).render(style=style, version=wmframe.__version__, **values)


def _own_file(name: str) -> str:
    return files("wmframe.report").joinpath(name).read_text(encoding="utf-8")


def _mean_sd(summary: Summary, places: int) -> str:
    mean = number(summary.mean, places)
    return mean if summary.std is None else f"{mean} ± {number(summary.std, places)}"
