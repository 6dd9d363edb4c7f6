"""Whole runs for tests: the command as a user types it, in this process or in one of its own, and what it left."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wmframe.cli.main import main

SMOKE = ("env=toy", "preset=smoke", "tracker=none", "trainer.threads=1", "trainer.workers=1")
"""Every stage on the toy in seconds."""


def run(*arguments: str, root: Path) -> Path:
    """Run `wmframe run` in this process and return the newest run's folder."""
    assert main(["run", *arguments, f"paths.root={root}"]) == 0
    return (root / "runs" / "latest").resolve()


def record(folder: Path) -> dict[str, Any]:
    """A run's run.json."""
    plain: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return plain


def states(folder: Path) -> dict[str, str]:
    """What became of every node: "ran" or "cached"."""
    return {stage["name"]: stage["state"] for stage in record(folder)["stages"]}


def hashes(root: Path) -> dict[str, dict[str, str]]:
    """The sha256 of every file of every artefact, by stage and key."""
    found = {}
    for manifest in sorted(root.glob("artefacts/*/*/manifest.json")):
        if ".damaged" in manifest.parent.name:
            continue
        files = json.loads(manifest.read_text())["files"]
        found[f"{manifest.parent.parent.name}/{manifest.parent.name}"] = {n: f["sha256"] for n, f in files.items()}
    return found


def start(arguments: Sequence[str], root: Path) -> "subprocess.Popen[str]":
    """Start `wmframe run` in a process of its own, one thread each."""
    return subprocess.Popen(
        [sys.executable, "-m", "wmframe", "run", *arguments, f"paths.root={root}"],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
