"""What a command is told: flags and the rest, parted.

In: the arguments after the command. Out: an `Invocation`. Called by the commands, before anything else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wmframe.engine.config.suggest import did_you_mean, nearest
from wmframe.engine.errors import UserError

FLAGS = ("-m", "--multirun", "--retry-failed", "--fail-fast", "--config-dir", "--allow", "--help")
_SWEEPS_ONLY = ("--retry-failed", "--fail-fast")


@dataclass(frozen=True)
class Invocation:
    """One command line: the overrides as typed, whether they are a sweep, and what the user adds.

    `folders` are searched for YAML files after wmframe's own; `allowed` are the modules that targets may come
    from. A sweep runs jobs again that failed before if `retry_failed`, and stops at a failure if `fail_fast`.
    """

    overrides: tuple[str, ...]
    multirun: bool = False
    retry_failed: bool = False
    fail_fast: bool = False
    folders: tuple[Path, ...] = ()
    allowed: tuple[str, ...] = ("wmframe",)


def parse(arguments: Sequence[str], flags: Sequence[str] = FLAGS) -> Invocation:
    """Part the flags, of which `--config-dir DIR` and `--allow MODULE` take a value, from the overrides.

    Raises UserError for a flag that is not of `flags`.
    """
    overrides: list[str] = []
    folders: list[Path] = []
    allowed = ["wmframe"]
    switched: set[str] = set()
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        flag, equals, value = argument.partition("=")
        if argument.startswith("-") and flag not in flags:
            raise UserError(_no_such_flag(flag, value, flags))
        if argument in {"-m", "--multirun", *_SWEEPS_ONLY}:
            switched.add("-m" if argument == "--multirun" else argument)
        elif flag in {"--config-dir", "--allow"}:
            value = value if equals else _next(flag, rest)
            if flag == "--allow":
                allowed.append(_module(value))
            else:
                folders.append(_folder(value))
        elif argument.startswith("-"):
            raise UserError(f"{argument}: {flag} takes no value")
        else:
            overrides.append(argument)
    if "-m" not in switched and switched:
        raise UserError(f"{min(switched)} is about the jobs of a sweep; add -m")
    return Invocation(
        tuple(overrides),
        multirun="-m" in switched,
        retry_failed="--retry-failed" in switched,
        fail_fast="--fail-fast" in switched,
        folders=tuple(folders),
        allowed=tuple(dict.fromkeys(allowed)),
    )


def _next(flag: str, rest: list[str]) -> str:
    if not rest or rest[0].startswith("-"):
        raise UserError(f"{flag} needs a value after it: {flag} {'MODULE' if flag == '--allow' else 'DIR'}")
    return rest.pop(0)


def _module(value: str) -> str:
    if not all(part.isidentifier() for part in value.split(".")):
        raise UserError(f"--allow {value}: a module's dotted name is wanted, as in --allow my_models.vision")
    return value


def _folder(value: str) -> Path:
    path = Path(value)
    if not value or not path.is_dir():
        raise UserError(f"--config-dir {value}: there is no such folder")
    return path


def _no_such_flag(flag: str, value: str, flags: Sequence[str]) -> str:
    bare = flag.lstrip("-")
    if value and not nearest(flag, flags, cutoff=0.75):
        return f"{flag}: overrides have no dashes before them; type {bare}={value}"
    return f"{flag} is no flag here.{did_you_mean(nearest(flag, flags))}\n    The flags: {', '.join(flags)}"
