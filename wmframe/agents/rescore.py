"""Score finished runs' agents on other seeds, training nothing. Called by `wmframe evaluate`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from wmframe.agents.agent import agent_artefact
from wmframe.engine.config.bind import Component
from wmframe.engine.config.building import build_part
from wmframe.engine.durability.files import read_json
from wmframe.engine.errors import UserError
from wmframe.engine.graph.recipe import nodes_of
from wmframe.engine.machine import Machine
from wmframe.engine.runs.provenance import provenance
from wmframe.engine.runs.runs import Run
from wmframe.engine.runs.worker import Worker
from wmframe.engine.store.reasons import edited
from wmframe.engine.tracking.progress import Progress
from wmframe.envs.spec import EnvSpec


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
    worker = Worker(run.root, machine, allowed, progress, fetch=lambda *_: agent)
    facts = provenance(device=str(machine.device), seed=0)
    last = nodes_of(experiment, allowed)[-1]
    scored = replace(last, parents={**last.parents, "agent": replace(last.parents["agent"], published=agent.key)})
    worker.adopt(scored)
    if files := edited(agent.manifest, last.parents["agent"].request):
        progress.say(f"{run.name}: {files} changed since its agent was made, which is scored by the code as it is now")
    scores: dict[str, Mapping[str, Any]] = {}
    for node in (scored.parents["baseline"], scored):
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
