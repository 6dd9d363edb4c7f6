"""Payloads that would lead somewhere else: names, paths, links, markup and formulas in runs and sweeps."""

import json
import shutil
from typing import Any

from tests.torture.hostile_project import ESCAPES, XSS, Project, each, payload

# Names, paths and links


def _record(project: Project, fields: dict[str, Any]) -> None:
    project.record(**fields)


def _graph(project: Project, fields: dict[str, Any]) -> None:
    """Of a run that was broken off, since the dashboard reads what such a one has still to do."""
    project.graph(**fields)
    stages = json.loads((project.run / "run.json").read_text())["stages"]
    project.record(state="stopped", stages=stages[:2])


def _stages(project: Project, change: dict[str, Any]) -> None:
    stages = json.loads((project.run / "run.json").read_text())["stages"]
    project.record(stages=[{**stage, **change} for stage in stages])


each(
    "run.json",
    {
        "a command of escapes": {"command": ESCAPES, "error": ESCAPES, "started": ESCAPES},
        "markup": {"command": XSS, "error": XSS, "started": XSS, "overrides": [XSS]},
        "no scores": {"scores": {"reality": {"returns": [], "lengths": []}}},
        "scores of text": {"scores": {"reality": {"returns": ["=cmd|'/c calc'!A1"], "lengths": ["x"]}}},
        "a list": {"scores": [1], "stages": {"a": 1}, "provenance": [1], "seeds": "abc"},
        "numbers that are none": {"seconds": "NaN", "seeds": [1e308 * 10]},
        "a state that is none": {"state": XSS},
    },
    _record,
)
each(
    "a stage of run.json",
    {
        "a key that leads out": {"key": "../../../outside"},
        "a stage that leads out": {"stage": "../../outside"},
        "a name of markup": {"name": XSS},
        "a name of escapes": {"name": ESCAPES},
        "an absolute key": {"key": "/etc/passwd"},
        "a key of null bytes": {"key": "\x00" * 16, "stage": "\x00"},
        "no text": {"key": {"a": 1}, "stage": [1]},
    },
    _stages,
)
each(
    "a stage of graph.json",
    {
        "a key that leads out": {"key": "../../../outside"},
        "a stage that leads out": {"stage": "../../outside"},
        "a name of markup": {"name": XSS},
        "a name of escapes": {"name": ESCAPES},
        "markup that may stand there": {"unit": XSS, "origin": XSS, "publishes": XSS},
        "parents that are not there": {"parents": {XSS: XSS}},
        "no text": {"key": {"a": 1}, "stage": [1], "length": "many"},
    },
    _graph,
)


@payload("run.json: nested deeply")
def _(project: Project) -> None:
    (project.run / "run.json").write_text("[" * 100_000)


@payload("run.json: no text")
def _(project: Project) -> None:
    (project.run / "run.json").write_bytes(b"\xff\xfe\x00{")


def _manifest(project: Project, files: dict[str, Any]) -> None:
    project.skip |= {"report --sweep"}
    for stage in ("vision", "memory", "controller"):
        project.seal(stage, files=files)


each(
    "a manifest's files",
    {
        "lead out": {"../../../../outside/secret.json": {"sha256": "0" * 64, "bytes": 1}},
        "are absolute": {"/etc/passwd": {"sha256": "0" * 64, "bytes": 1}},
        "are no names": {"": {}, "\x00": {}, "a\nb.json": {"sha256": "", "bytes": 0}},
        "are programs": {"run.py": {"sha256": "0" * 64, "bytes": 1}},
        "are no facts": {"a.json": [1, 2]},
    },
    _manifest,
)


@payload("links: every file of the run leads out")
def _(project: Project) -> None:
    outside = project.root.parent / "outside"
    run = project.run
    for name in ("report.html", "run.lock", "reality-0.webp", "dream-0.webp"):
        (run / name).unlink(missing_ok=True)
        (run / name).symlink_to(outside / "victim")
    (run / "x.gif").symlink_to(outside / "secret")


@payload("links: the locks of artefacts and sweeps lead out")
def _(project: Project) -> None:
    for lock in project.root.glob("artefacts/*/*.lock"):
        lock.unlink()
        lock.symlink_to(project.root.parent / "outside" / "victim")


@payload("links: artefacts lead out")
def _(project: Project) -> None:
    for stage in ("vision", "memory"):
        file = project.artefact(stage) / "weights.safetensors"
        file.rename(project.root.parent / "outside" / f"{stage}.safetensors")
        file.symlink_to(project.root.parent / "outside" / f"{stage}.safetensors")


@payload("links: a folder of pictures leads out")
def _(project: Project) -> None:
    shutil.rmtree(project.run / "pictures")
    (project.run / "pictures").symlink_to(project.root.parent / "outside")
    for stage in ("vision", "evaluate"):
        folder = project.artefact(stage)
        folder.with_suffix(".work").symlink_to(project.root.parent / "outside")


@payload("names: a run is called by escapes and markup")
def _(project: Project) -> None:
    project.run.rename(project.run.with_name("x\x1b[2J<b>"))


@payload("paths: its root is elsewhere")
def _(project: Project) -> None:
    project.config(paths={"root": "../outside"}, name="../../outside")


# Sweeps


def _sweep(project: Project, job: dict[str, Any], **record: Any) -> None:
    project.skip |= {"evaluate", "report", "watch", "watch a dream", "register"}
    plain = {"name": "toy", "command": XSS, "started": "", "jobs": [["seed=1"], ["seed=2"]], "ablation": None, **record}
    project.write("sweeps/toy-0/sweep.json", json.dumps(plain))
    facts = {
        "number": 1,
        "overrides": ["seed=1"],
        "state": "finished",
        "run": project.run.name,
        "error": "",
        "seconds": 0.0,
    }
    project.write("sweeps/toy-0/jobs/0001.json", json.dumps({**facts, **job}))
    (project.root / "sweeps" / "latest").symlink_to("toy-0")


each(
    "a sweep's job",
    {
        "a run that leads out": {"run": "../../outside"},
        "an absolute run": {"run": "/etc"},
        "markup": {"state": "failed", "error": XSS},
        "escapes": {"state": "failed", "error": ESCAPES},
        "LaTeX": {"state": "failed", "error": r"\input{/etc/passwd}\immediate\write18{touch x}"},
        "no text": {"run": ["a"], "error": {"a": 1}},
        "a state that is none": {"state": XSS},
    },
    _sweep,
)


@payload("a sweep: its overrides are formulas and markup")
def _(project: Project) -> None:
    _sweep(project, {}, jobs=[["a==cmd|'/c calc'!A1", f"b={XSS}"], ["a=+1+1", "b=@SUM(1)"]], name=XSS)


@payload("a sweep: its ablation is none")
def _(project: Project) -> None:
    _sweep(project, {}, ablation={"title": XSS, "source": [1], "params": 3, "rows": {"a": 1}, "paper": {"a": "b"}})


@payload("a sweep: no record")
def _(project: Project) -> None:
    _sweep(project, {}, jobs="abc", name=[1])
