"""Roll-outs: let something act in a world until every lane is done, and add up what it was paid.

Written once for reality and dream. Called by search (a population's fitness), collection (with a watcher that
records) and evaluation. Legend: P population, R roll-outs, B = P · R lanes, D parameters.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from wmframe.controller.contract import Controller
from wmframe.engine.durability import failpoints, signals
from wmframe.worlds.contract import Step, World

Act = Callable[[Tensor], Tensor]
"""Features (B, F) to actions (B, A)."""

Watch = Callable[[Step, Tensor | None], None]
"""Called when the episodes have begun, with None, then after every step with the actions (B, A) that led to it."""


@dataclass(frozen=True)
class Outcome:
    """What each lane was paid in all (B,) float64, and how many steps it lasted (B,)."""

    returns: Tensor
    lengths: Tensor


def rollout(world: World, act: Act, seeds: Sequence[int], *, watch: Watch | None = None) -> Outcome:
    """Run one episode per seed to its end. Raises Stopped between two steps if the process was asked to stop."""
    step = world.reset(seeds)
    if watch is not None:
        watch(step, None)
    returns = torch.zeros_like(step.reward, dtype=torch.float64)
    waits, steps = torch.zeros_like(step.done, dtype=torch.long), 0
    while not bool(step.done.all()):
        failpoints.reach("rollout.step")
        signals.check()
        actions, done = act(step.features), step.done
        step = world.step(actions)
        returns += step.reward
        waits += done
        steps += 1
        if watch is not None:
            watch(step, actions)
    return Outcome(returns.cpu(), steps - waits.cpu())


def population_act(controller: Controller, parameters: Tensor) -> Act:
    """Let P candidates (P, D) drive equal numbers of consecutive lanes, in one batched product."""

    def act(features: Tensor) -> Tensor:
        grouped = features.view(len(parameters), len(features) // len(parameters), -1)
        return controller.act(parameters, grouped).flatten(0, 1)

    return act


def population_returns(world: World, controller: Controller, parameters: Tensor, seeds: Sequence[int]) -> Tensor:
    """Return what each candidate (P, D) earns on each seed, (P, R) float64. Higher is better.

    Every candidate meets the same seeds. Candidates share lanes up to what the world likes to run at once, more seeds
    than that are met in turn, and the world's twins share all this.
    """
    twins = world.twins()
    together = min(max(world.lanes // len(seeds), 1), -(-len(parameters) // len(twins)))
    turns = [seeds[at : at + world.lanes] for at in range(0, len(seeds), world.lanes)]
    work = [(group, turn) for group in torch.split(parameters, together) for turn in turns]

    @torch.inference_mode()
    def live(number: int) -> list[Tensor]:
        return [_group_returns(twins[number], controller, *each) for each in work[number :: len(twins)]]

    if len(twins) == 1:
        found = live(0)
    else:
        with lone_threads(len(twins)) as pool:
            parts = list(pool.map(live, range(len(twins))))
        found = [parts[number % len(twins)][number // len(twins)] for number in range(len(work))]
    return torch.cat([torch.cat(found[at : at + len(turns)], 1) for at in range(0, len(found), len(turns))])


def _group_returns(world: World, controller: Controller, parameters: Tensor, seeds: Sequence[int]) -> Tensor:
    outcome = rollout(world, population_act(controller, parameters), list(seeds) * len(parameters))
    return outcome.returns.view(len(parameters), -1)


@contextmanager
def lone_threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """Threads in each of which PyTorch computes alone: they then wait for each other once, not after every product."""
    before = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield pool
    finally:
        torch.set_num_threads(before)  # what the last caller says holds for threads to come, autograd's among them
