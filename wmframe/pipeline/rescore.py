"""Score finished runs' agents on other seeds, training nothing. Called by `wmframe evaluate`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from wmframe.config.bind import Component
from wmframe.envs.spec import EnvSpec
from wmframe.errors import UserError
from wmframe.files import read_json
from wmframe.pipeline.agents import agent_artefact
from wmframe.pipeline.graph import graph
from wmframe.pipeline.provenance import provenance
from wmframe.pipeline.reasons import edited
from wmframe.pipeline.runner import Worker
from wmframe.pipeline.runs import Run
from wmframe.stages.building import build_part
from wmframe.stages.machine import Machine
from wmframe.tracking.progress import Progress


def rescore(
    run: Run, experiment: Component, *, allowed: Sequence[str], progress: Progress
) -> Mapping[str, Mapping[str, Any]]:
    """Return returns and lengths by world for an experiment that differs from the run's only in `evaluate`.

    The agent is the one that the run recorded, even if a newer wmframe or an edit of the user's code would train
    another; what it is scored by is in the key of its scores. Raises UserError if it is
    missing or damaged: training it is for `wmframe run`.
    """
    agent = agent_artefact(run)
    machine = build_part(experiment, "trainer", Machine, allowed=allowed)
    machine.settle()
    worker = Worker(run.root, machine, allowed, progress)
    facts = provenance(device=str(machine.device), seed=0)
    last = graph(experiment)[-1]
    parents = {**last.parents, "agent": replace(last.parents["agent"], published=agent.key)}
    worker.adopt("agent", agent)
    if files := edited(agent.manifest, last.parents["agent"].request):
        progress.say(f"{run.name}: {files} changed since its agent was made, which is scored by the code as it is now")
    scores: dict[str, Mapping[str, Any]] = {}
    for node in (parents["baseline"], replace(last, parents=parents)):
        artefact, _ = worker.obtain(node, facts)
        scores |= read_json(artefact.file("scores.json"))["scores"]
    return scores


def refuse_unlike(experiments: Mapping[str, Component], *, allowed: Sequence[str]) -> None:
    """Raise UserError if equal seeds are not equal episodes to all of these runs, by name.

    What is compared is what scores are reported on, the reference environment; how often each acts is its own affair.
    """
    specs = {
        name: build_part(experiment, "env", EnvSpec, allowed=allowed).reference()
        for name, experiment in experiments.items()
    }
    first, *others = specs
    for other in others:
        if replace(specs[other], action_repeat=specs[first].action_repeat) != specs[first]:
            raise UserError(
                f"{other} was made for {specs[other]}, {first} for {specs[first]}: their returns can't be set side by "
                "side. Evaluate each by itself."
            )
