"""What Hydra, OmegaConf and YAML say, retold for whoever made the mistake.

In: their exceptions. Out: UserError, at most ten lines, without their advice to add `+` (which makes a typo
stick). Called by `compose` around every step that may fail on a user's text.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import yaml
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import (
    InterpolationKeyError,
    InterpolationResolutionError,
    MissingMandatoryValue,
    OmegaConfBaseException,
)

from wmframe.engine.config.suggest import did_you_mean, nearest
from wmframe.engine.errors import UserError

FOREIGN = (
    HydraException,
    OmegaConfBaseException,
    yaml.YAMLError,
    OSError,
    ValueError,
    TypeError,
    RecursionError,
)


@contextmanager
def explain(override: str | None = None) -> Iterator[None]:
    """Turn whatever is raised within, on account of an override or a file, into a UserError."""
    try:
        yield
    except UserError:
        raise
    except FOREIGN as error:
        raise UserError(_retell(error, override)) from error


def _retell(error: Exception, override: str | None) -> str:
    for kind, tell in TELLERS:
        if isinstance(error, kind):
            return tell(error, override)
    return _other(error, override)


def _unparsable(error: Exception, override: str | None) -> str:
    text = override if override is not None else getattr(error, "override", "")
    if re.fullmatch(r"[\w./]+", text):
        return f"{text}: an override needs a value; type {text}=VALUE"
    reason = next((line for line in str(error).splitlines()[1:] if "hydra.cc" not in line and line.strip("^ ")), "")
    return (
        f"{text!r} cannot be read as key=value{': ' + reason if reason else ''}."
        "\n    Quote what has spaces, commas or brackets in it: 'key=\"a, b\"'"
    )


def _missing_file(error: Exception, override: str | None) -> str:
    missing = str(getattr(error, "missing_cfg_file", None) or error)
    group, _, name = missing.rpartition("/")
    options = sorted(getattr(error, "options", None) or [])
    near = did_you_mean(nearest(name, options))
    named = re.match(r"In '([^']+)'", str(error))
    where = f" (asked for by {named[1]}.yaml)" if named and named[1] != "config" else ""
    known = f"\n    {group} is one of {', '.join(options)}" if options else ""
    return f"there is no {missing}.yaml{where}.{near}{known}"


def _bad_yaml(error: Exception, override: str | None) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"{mark.name}:{mark.line + 1}:{mark.column + 1}: " if mark is not None else ""
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    hint = "; indent with spaces" if "\\t" in problem else ""
    return f"{where}not a YAML file that wmframe reads: {problem}{hint}"


def _bad_text(error: Exception, override: str | None) -> str:
    return f"a YAML file in the search path is not UTF-8: {error}"


def _interpolation(error: Exception, override: str | None) -> str:
    key = getattr(error, "full_key", None) or "a key"
    wanted = re.search(r"Interpolation key '([^']+)'", str(error))
    if wanted is not None:
        node = getattr(error, "parent_node", None)
        tree = OmegaConf.to_container(node._get_root(), resolve=False) if node is not None else {}
        known = [other for other in dotted_keys(tree) if other != key]
        near = did_you_mean(nearest(wanted[1], known))
        hint = f"put it into the file chosen for {wanted[1].partition('.')[0]}, or type {wanted[1]}=VALUE"
        return f"{key} refers to ${{{wanted[1]}}}, which no file gives.{near}\n    Else {hint}"
    return f"{key}: {str(error).splitlines()[0]}"


def _too_deep(error: Exception, override: str | None) -> str:
    return "the config is nested too deeply, or refers to itself"


def _other(error: Exception, override: str | None) -> str:
    """Anything else: the causes' own first lines, and never the advice to append."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    chosen = re.search(r"(\S+) appears more than once|Multiple values for (\S+)\.|already at '([^']+)'", str(error))
    if chosen is not None:
        key = chosen[1] or chosen[2] or chosen[3]
        return f"{key} is there already; to change it type {key}=VALUE, without the +"
    cause = error.__cause__
    if cause is not None:
        lines += str(cause).splitlines()[:1]
    merging = re.match(r"Error merging override \+*(.*)", lines[0] if lines else "")
    if merging is not None:
        lines[0] = f"{merging[1]}: not the kind of value that this key holds"
    kept = [line for line in lines if not re.search(r"hydra\.cc|append|use \+|second \+|full_key|object_type", line)]
    return "\n    ".join(kept[:4]) or type(error).__name__


def dotted_keys(value: object, path: str = "") -> Iterator[str]:
    """Every key of nested mappings, dotted."""
    for name, item in value.items() if isinstance(value, dict) else []:
        inner = f"{path}.{name}" if path else str(name)
        yield inner
        yield from dotted_keys(item, inner)


def _unset(error: Exception, override: str | None) -> str:
    key = getattr(error, "full_key", None) or "a key"
    return f"{key} has no value yet; type {key}=VALUE"


TELLERS: tuple[tuple[type[Exception], Callable[[Exception, str | None], str]], ...] = (
    (OverrideParseException, _unparsable),
    (MissingConfigException, _missing_file),
    (yaml.YAMLError, _bad_yaml),
    (UnicodeDecodeError, _bad_text),
    (InterpolationKeyError, _interpolation),
    (InterpolationResolutionError, _interpolation),
    (MissingMandatoryValue, _unset),
    (RecursionError, _too_deep),
)
