"""Score finished runs' agents on other seeds, training nothing. Called by `wmframe evaluate`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

from wmframe.agents.agent import agent_artefact
from wmframe.agents.initial import code_of_agent, existing_agent
from wmframe.engine.config.bind import bind
from wmframe.engine.config.building import build_part
from wmframe.engine.config.component import Component, modules_in
from wmframe.engine.config.user_code import Module
from wmframe.engine.durability.files import read_json
from wmframe.engine.errors import UserError
from wmframe.engine.graph.stage import trace
from wmframe.engine.machine import Machine
from wmframe.engine.runs.provenance import provenance
from wmframe.engine.runs.runs import Run
from wmframe.engine.runs.worker import Worker
from wmframe.engine.store.artefact import Artefact
from wmframe.engine.store.reasons import edited
from wmframe.engine.tracking.progress import Progress
from wmframe.envs.spec import EnvSpec
from wmframe.stages import declared
from wmframe.stages.declared import Scores
from wmframe.stages.evaluate import Evaluation
from wmframe.worlds.settings import WorldSettings


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
    code = code_of_agent(agent.path, allowed)
    nodes = trace(partial(_scored, experiment, run, agent, code), allowed=allowed)
    if files := edited(agent.manifest, {*code, *modules_in(experiment.arguments).values()}):
        progress.say(f"{run.name}: {files} changed since its agent was made, which is scored by the code as it is now")
    scores: dict[str, Mapping[str, Any]] = {}
    for node in nodes:
        worker.adopt(node)
        artefact, _ = worker.obtain(node, facts)
        scores |= read_json(artefact.file("scores.json"))["scores"]
    return scores


def evaluation(experiment: Component) -> Component:
    """Return how a run's agent was scored, or how it would be where it was not (`evaluate=null`)."""
    if experiment.arguments["evaluate"] is None:
        return bind({}, target="wmframe.stages.evaluate.Evaluation", path="evaluate")
    return experiment.part("evaluate")


def _scored(experiment: Component, run: Run, agent: Artefact, code: Sequence[Module]) -> Scores:
    """Score an agent that there is beside the random policy: the end of every recipe that scores one."""
    env, evaluate = cast("EnvSpec", experiment.part("env")), cast("Evaluation", experiment.part("evaluate"))
    return declared.evaluate(
        env=env,
        evaluate=evaluate,
        world=cast("WorldSettings", experiment.part("world")),
        agent=existing_agent(run.name, agent.key, code),
        baseline=declared.baseline(env=env, evaluate=evaluate),
    )


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
