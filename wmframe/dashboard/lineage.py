"""A run's stages from its score back to its data: keys, what each was made of, and who else stands on it.

In: a run's record and its artefacts' manifests, or the config of a run that goes on. Out: a `Lineage`. Manifests are
read as they lie there, unchecked: nothing is loaded from what they vouch for. Called by the server's routes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wmframe.dashboard.overview import Project
from wmframe.dashboard.reading import regular_file
from wmframe.engine.durability.files import read_json
from wmframe.engine.errors import UserError
from wmframe.engine.runs.runs import Run, RunRecord


@dataclass(frozen=True, kw_only=True)
class Step:
    """One stage: `parents` are names of other steps; `size` in bytes, None where its artefact is gone.

    `state` is "ran" or "cached", "waiting" for what is still to do; the one at work or broken off has the run's state.
    `shared` counts the runs that stand on this very result, this one included.
    """

    name: str
    stage: str
    key: str
    state: str
    seconds: float | None = None
    parents: Sequence[str] = ()
    created: str = ""
    size: int | None = None
    shared: int = 0


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """A run's steps, parents before children, and what it knows of where it came from."""

    steps: Sequence[Step]
    provenance: Mapping[str, str] = field(default_factory=dict)


def lineage(project: Project, folder: Path) -> Lineage:
    """Return a run's lineage; empty for a damaged run."""
    record = project.record(folder)
    if record is None:
        return Lineage(steps=())
    shared = project.shared_by()
    names = {stage.key: stage.name for stage in record.stages}
    steps = []
    for stage in record.stages:
        manifest = _manifest(project.artefacts, stage.stage, stage.key)
        parents = [names[key] for key in manifest.get("parents", {}).values() if key in names]
        steps.append(
            Step(
                name=str(stage.name),
                stage=str(stage.stage),
                key=str(stage.key),
                state=str(stage.state),
                seconds=float(stage.seconds),
                parents=parents,
                created=str(manifest.get("created", "")),
                size=sum(facts["bytes"] for facts in manifest["files"].values()) if manifest else None,
                shared=shared[stage.stage, stage.key],
            )
        )
    return Lineage(steps=[*steps, *_to_come(project, folder, record)], provenance=_facts(record.provenance))


def _to_come(project: Project, folder: Path, record: RunRecord) -> list[Step]:
    """Return what an unfinished run has still to do."""
    if record.state == "finished":
        return []
    return [
        Step(
            name=stage.name,
            stage=stage.stage,
            key=stage.key,
            state=record.state if number == 0 else "waiting",
            parents=list(stage.parents.values()),
        )
        for number, stage in enumerate(project.watch.stages(Run(folder))[len(record.stages) :])
    ]


def _manifest(artefacts: Path, stage: str, key: str) -> Mapping[str, Any]:
    """Return a manifest as far as it is one, else nothing."""
    path = regular_file(artefacts, stage, key, "manifest.json")
    try:
        manifest = read_json(path) if path is not None else {}
        sound = all(isinstance(parent, str) for parent in manifest.get("parents", {}).values()) and all(
            isinstance(facts["bytes"], int) for facts in manifest["files"].values()
        )
    except (UserError, KeyError, TypeError, AttributeError):
        return {}
    return manifest if sound else {}


def _facts(provenance: Mapping[str, Any]) -> dict[str, str]:
    """Return the facts worth a line each: commit, versions, machine."""
    facts = {name: provenance.get(name) for name in ("device", "cpu", "platform", "python", "seed")}
    git, packages = provenance.get("git"), provenance.get("packages")
    if isinstance(git, Mapping):
        facts["commit"] = f"{git.get('commit')}{' (with changes)' if git.get('dirty') else ''}"
    if isinstance(packages, Mapping):
        facts |= {name: packages.get(name) for name in ("wmframe", "torch")}
    return {name: str(value) for name, value in facts.items() if value is not None}
