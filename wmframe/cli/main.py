"""The `wmframe` command: finds the command's module, runs it, and answers mistakes without a traceback.

In: the arguments as typed. Out: an exit code (0 done, 1 could not be finished, 2 a mistake in what was typed
or configured, 130 stopped by Ctrl-C, 143 by SIGTERM). Each command is a module `wmframe.cli.<command>` with `HELP` and
`execute(arguments)`, imported only when it is called, so that `wmframe --help` answers before torch or Hydra
could load.
"""

import contextlib
import importlib
import os
import shlex
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from wmframe import __version__
from wmframe.cli.machine_fault import explained, is_the_machines
from wmframe.engine.config import user_code
from wmframe.engine.config.suggest import did_you_mean, nearest
from wmframe.engine.durability import signals
from wmframe.engine.errors import UserError, printable

COMMANDS = {
    "run": "Train and score world models: collect, vision, memory, controller, evaluate.",
    "plan": "Say what `run` would compute, what is cached, and why.",
    "status": "List runs and artefacts, finished and in progress.",
    "evaluate": "Score a run's driver again, or several side by side, on seeds of your choice.",
    "report": "Write a run's page, or a sweep's table: scores, curves, pictures of the dream.",
    "dashboard": "Serve a local page over all runs, live while they go on.",
    "export": "Copy a finished run's agent and scores into a folder of their own, to hand on.",
    "watch": "Write a video of a run's driver, awake or dreaming.",
    "gc": "List what may be deleted, and with --delete, delete it.",
    "doctor": "Check this machine: packages, devices, disk, rendering.",
}

_GO_ON = frozenset({"run", "evaluate"})

QUICK_START = """\
wmframe: train a world model, then drive in its dream.

  wmframe run experiment=toy tracker=none         the whole path, about a minute
  wmframe run preset=quick                        a CarRacing agent from its dream, 25 minutes
  wmframe run preset=quick vision.latent_size=16  any key of any YAML, changed
  wmframe run -m preset=quick world.temperature=0.5,1,1.15     a sweep; shared stages run once
  wmframe plan                                    the paper's sizes, days on a cluster: what would run, and why
  wmframe report latest                           a page to look at

`wmframe --help` lists the commands, `wmframe run --help` explains one."""


@dataclass(frozen=True)
class Command:
    """A command's module, as far as the dispatcher cares: its help and its entry."""

    help: str
    execute: Callable[[list[str]], int]


def main(argv: Sequence[str] | None = None, *, package: str = "wmframe.cli") -> int:
    """Run one command and return the process's exit code; `package` is where the commands' modules are."""
    # Idle OpenMP threads spin by default; on a shared machine that was measured to cost a training step 2 to 5 times.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Processes that Python starts for us would import what lies in the working directory: a foreign project's, perhaps.
    os.environ.setdefault("PYTHONSAFEPATH", "1")
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        with signals.heeded():
            code = _interruptible(arguments, package)
            sys.stdout.flush()
    except UserError as error:
        print(f"wmframe: {printable(str(error))}", file=sys.stderr)
        return error.exit_code
    except signals.Stopped as stopped:
        return _stop(arguments, stopped)
    except BrokenPipeError:
        return _hang_up()
    except Exception as error:
        if is_the_machines(error):
            print(f"wmframe: {printable(explained(error))}", file=sys.stderr)
            return 1
        traceback.print_exc()
        print(
            f"wmframe {__version__}: this is a bug in wmframe (or in a module that you allowed)."
            " Please report it with the lines above and the command that you typed.",
            file=sys.stderr,
        )
        return 1
    return code


def overview() -> str:
    """The text of `wmframe --help`: all commands, a line each."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {summary}" for name, summary in COMMANDS.items()]
    usage = "usage: wmframe COMMAND [OPTIONS] [key=value ...]"
    closing = "`wmframe COMMAND --help` explains one; `wmframe --version` says which this is."
    return "\n".join([usage, "", *lines, "", closing])


def load_command(name: str, package: str = "wmframe.cli") -> Command:
    """Import a command's module."""
    module = importlib.import_module(f"{package}.{name}")
    return Command(cast("str", module.HELP), cast("Callable[[list[str]], int]", module.execute))


def _dispatch(arguments: list[str], package: str) -> int:
    match arguments:
        case []:
            print(QUICK_START)
            return 0
        case ["-h" | "--help" | "help", *_]:
            print(overview())
            return 0
        case ["-V" | "--version", *_]:
            print(f"wmframe {__version__}")
            return 0
        case [name, *rest] if name in COMMANDS:
            command = load_command(name, package)
            if "-h" in rest or "--help" in rest:
                print(command.help.rstrip())
                return 0
            user_code.release()  # a program that calls this again means the files as they are by then
            return command.execute(rest)
    name = arguments[0]
    if "=" in name:
        raise UserError(f"{name} comes after a command: wmframe run {name}")
    near = did_you_mean([f"wmframe {command}" for command in nearest(name, COMMANDS, cutoff=0.5)])
    raise UserError(f"{name!r} is no command.{near}\n    The commands: {', '.join(COMMANDS)}")


def _interruptible(arguments: list[str], package: str) -> int:
    try:
        return _dispatch(arguments, package)
    except KeyboardInterrupt as interrupt:  # raised by a library, or where signals are not ours to handle
        raise signals.Stopped(signal.SIGINT) from interrupt
    except Exception:
        signals.check()  # a library that it went through may have made an error of its own of it
        raise


def _stop(arguments: list[str], stopped: signals.Stopped) -> int:
    """Say how to go on: commands that keep what they have done go on when they are typed again."""
    said = f"wmframe: stopped by {'Ctrl-C' if stopped.signal == signal.SIGINT else stopped.signal.name}"
    if arguments and arguments[0] in _GO_ON:
        from wmframe.engine.runs.provenance import without_secret

        command = shlex.join(["wmframe", *map(without_secret, arguments)])
        said += f"; what was done is kept, and the same command goes on from there:\n  {command}"
    print(said, file=sys.stderr)
    return stopped.exit_code


def _hang_up() -> int:
    """The reader of our output went away (`wmframe status | head`): there is nobody to tell."""
    with contextlib.suppress(OSError, ValueError):  # not a real file: nothing will be flushed at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141
