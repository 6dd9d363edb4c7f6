"""A process that opens hostile projects with Python's audit hook as the witness of what happens.

Run as `python -m tests.torture.witness SANDBOX [NAME ...]`. SANDBOX holds `project`, an honest finished run. For every
payload named it makes a hostile copy of it, runs every loading command there, and prints a line of JSON a command: what
it ended with, and whatever it did that opening a file never does.
"""

import contextlib
import csv
import io
import json
import os
import shutil
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.torture import payloads_of_code, payloads_of_data, payloads_of_names  # noqa: F401  they enter themselves
from tests.torture.hostile_project import CANARY, MODULE, PAYLOADS, Project

# What wmframe's own commit, the processor's name and the fonts there are (pygame) are asked of, by fixed commands.
HARMLESS = {"git", "uname", "fc-list"}
STARTS = ("os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile", "pty.spawn")
WRITES = {"os.remove": 1, "os.rename": 2, "os.mkdir": 1, "os.rmdir": 1, "os.symlink": 2, "os.link": 2, "os.chmod": 1}
NETWORK = ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "urllib.Request")

# Of these, the first argument tells; what of other events prints itself may cause events in turn.
FORBIDDEN: dict[str, Callable[[Any, str], bool]] = {
    "pickle.find_class": lambda module, sandbox: True,
    "subprocess.Popen": lambda program, sandbox: os.path.basename(str(program)) not in HARMLESS,
    "import": lambda module, sandbox: str(module).startswith(MODULE),
    "compile": lambda source, sandbox: CANARY in str(source),
    "exec": lambda code, sandbox: str(getattr(code, "co_filename", "")).startswith(sandbox),
    "ctypes.dlopen": lambda library, sandbox: str(library).startswith(sandbox),
}


class Witness:
    """Listens while a command runs; `seen` has what must not happen. What the machine may write is under `sandbox`."""

    def __init__(self, sandbox: Path) -> None:
        self.sandbox = str(sandbox)
        self.listening = False
        self.seen: list[str] = []
        sys.addaudithook(self.hook)

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Judge one event."""
        if self.listening and (wrong := self.judge(event, arguments)):
            self.listening = False  # what is noted here must not be judged too
            self.seen.append(f"{event}: {wrong}"[:300])
            self.listening = True

    def judge(self, event: str, arguments: tuple[Any, ...]) -> str:
        """Say what is wrong with an event, or nothing."""
        if event in FORBIDDEN:
            return repr(arguments) if FORBIDDEN[event](arguments[0], self.sandbox) else ""
        if event.startswith(STARTS):
            return repr(arguments)
        if event.startswith(NETWORK):
            return "" if "127.0.0.1" in repr(arguments) and event != "socket.sendto" else repr(arguments)
        return self.written(event, arguments)

    def written(self, event: str, arguments: tuple[Any, ...]) -> str:
        """Say so if something outside of the sandbox is written to."""
        if event == "open":
            path, _, flags = arguments
            writing = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC) if isinstance(flags, int) else 0
            return self.outside([path], opened=True) if writing else ""
        return self.outside(arguments[: WRITES[event]]) if event in WRITES else ""

    def outside(self, paths: Any, *, opened: bool = False) -> str:
        """Return the first of these paths that lies outside of the sandbox, where links really lead."""
        for path in paths:
            if isinstance(path, int) or str(path) in ("/dev/null", "/dev/tty"):
                continue
            folder, name = os.path.split(os.path.abspath(os.fsdecode(path)))
            # only what is opened is reached through a last link; what is renamed, made or removed is the link itself
            real = os.path.realpath(path) if opened else os.path.join(os.path.realpath(folder), name)
            if not real.startswith(self.sandbox + os.sep) or f"{os.sep}outside{os.sep}" in real:
                return real
        return ""


def commands(project: Project) -> dict[str, Callable[[], int]]:
    """Every way to open a project."""
    from wmframe.cli.main import main

    run = project.run.name
    plain = {
        "status": ["status"],
        "status RUN": ["status", run],
        "plan": ["plan", *project.overrides],
        "plan --config-dir": ["plan", *project.overrides, "--config-dir", str(project.conf), "vision=hostile"],
        "plan -m": [
            "plan",
            "-m",
            *project.overrides,
            "--config-dir",
            str(project.conf),
            "hydra/launcher=hostile",
        ],
        "evaluate": ["evaluate", run, "episodes=2", "first_seed=7"],
        "report": ["report", run],
        "report --sweep": ["report", "--sweep", "latest"],
        "watch": ["watch", run, "steps=3"],
        "watch a dream": ["watch", run, "steps=3", "world=dream"],
    }
    if not project.conf.is_dir():
        plain = {name: arguments for name, arguments in plain.items() if "--config-dir" not in arguments}
    ways: dict[str, Callable[[], int]] = {}
    for name, arguments in plain.items():
        ways[name] = lambda arguments=arguments: main(arguments)  # type: ignore[misc]
    return {**ways, "dashboard": lambda: _dashboard(project), "register": lambda: _register(project)}


def _dashboard(project: Project) -> int:
    from wmframe.dashboard.overview import Project as Shown
    from wmframe.dashboard.routes import Routes

    routes = Routes(Shown(project.root))
    run = project.run.name
    asked = ["/", "/api/runs", *(f"/api/{kind}/{run}" for kind in ("curves", "gallery", "lineage"))]
    asked += [f"/runs/{run}/report.html", f"/runs/{run}/x.gif", f"/runs/{run}/..%2f..%2f..%2foutside%2fsecret"]
    answers = [routes.answer(path) for path in asked]
    if any(answer is not None and b"planted secret" in answer.body for answer in answers):
        raise AssertionError("a file from elsewhere was handed out")
    return 0


def _register(project: Project) -> int:
    import gymnasium

    import wmframe.register  # noqa: F401  tells Gymnasium of the dream
    from wmframe.engine.errors import UserError

    try:
        env = gymnasium.make("wmframe/Dream-v0", run=str(project.run))
        env.reset(seed=1)
        env.step(env.action_space.sample())
    except UserError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def faults(root: Path) -> list[str]:
    """What pages and tables of the project would run in a browser or a spreadsheet."""
    found = []
    for page in (path for path in root.rglob("report.html") if not path.is_symlink()):
        text = page.read_text(errors="replace")
        found += [f"{page.name} has no policy"] if "Content-Security-Policy" not in text else []
        found += [f"{page.name} holds {tag}" for tag in ("<script", "<img src=x", "<b>") if tag in text.lower()]
    for table in root.rglob("table.csv"):
        with table.open(newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        found += [f"a formula: {cell}" for cell in cells if cell.startswith(("=", "+", "-", "@")) and not number(cell)]
    for table in root.rglob("table.tex"):
        lines = [line for line in table.read_text().splitlines() if not line.startswith("%")]
        found += [f"a command: {line}" for line in lines if "\\input" in line or "\\write18" in line]
    return found


def number(cell: str) -> bool:
    """Whether a cell is a number, which keeps its sign."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def observe(witness: Witness, name: str, base: Path) -> None:
    """Make one hostile copy, run every command there and print what happened."""
    root = base.parent / "hostile"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(base, root, symlinks=True)
    project = Project(root)
    PAYLOADS[name](project)
    os.chdir(root)
    for command, execute in commands(project).items():
        if command in project.skip:
            continue
        out, code, witness.seen, raised = io.StringIO(), -1, [], ""
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            witness.listening = True
            try:
                code = execute()
            except SystemExit as error:
                code = int(error.code or 0)
            except Exception:
                raised = traceback.format_exc()
            witness.listening = False
        said = out.getvalue() + raised
        witness.seen += faults(root)
        row = {
            "payload": name,
            "command": command,
            "code": code,
            "seen": witness.seen + (["the canary was run"] if (base.parent / CANARY).exists() else []),
            "modules": [module for module in sys.modules if module.startswith(MODULE)],
            "escapes": "\x1b" in said,
            "crashed": said[-1500:] if "Traceback" in said else "",
            "lines": len(said.splitlines()),
            "said": said[-300:],
        }
        print(json.dumps(row), flush=True)


def main() -> None:
    """Observe the payloads that are named, or all."""
    sandbox, names = Path(sys.argv[1]).resolve(), sys.argv[2:] or list(PAYLOADS)
    sys.path.append(str(sandbox / "lib"))  # where the payload's module could be found, were it asked for
    sys.stderr = io.StringIO()  # what libraries warn of when they are loaded
    witness = Witness(sandbox)
    for name in names:
        try:
            observe(witness, name, sandbox / "project")
        except Exception:
            print(f"{name}: the payload itself is wrong\n{traceback.format_exc()}", file=sys.__stderr__)
            raise SystemExit(1) from None


if __name__ == "__main__":
    main()
