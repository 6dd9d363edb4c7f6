"""The dream beside its own matrix products, and beside the loop that is usually written. Legend: as in `parts`."""

import torch
from torch import Tensor

from benchmarks.measure import Burst, Effort, Row, compare
from benchmarks.parts import ACTION, HIDDEN, LATENT, MIXTURES, ROLLOUTS, dream, linear, memory
from wmframe.memory.mdn_rnn import MDNRNN
from wmframe.worlds.rollout import lone_threads, population_returns

STEPS = 50


def living(of: MDNRNN, candidates: int) -> Burst:
    """Return the real thing: a generation's roll-outs in the dream, as the search runs them."""
    world, controller = dream(of, STEPS), linear(of)
    parameters = 0.1 * torch.randn(candidates, controller.size, generator=torch.Generator().manual_seed(2))

    def burst() -> float:
        population_returns(world, controller, parameters, range(ROLLOUTS))
        return float(STEPS * candidates * ROLLOUTS)

    return burst


def products(candidates: int, *, hidden: int = HIDDEN, mixtures: int = MIXTURES, latent: int = LATENT) -> Burst:
    """Return the steps' three matrix products alone, of the same shapes, into memory that is there already.

    The candidates are shared out to threads as the search does it.
    """
    threads = torch.get_num_threads()
    share = [_products(candidates // threads, hidden, mixtures, latent) for _ in range(threads)]

    def burst() -> float:
        with lone_threads(threads) as pool:
            return float(sum(pool.map(lambda alone: alone(), share)))

    return burst


def _products(candidates: int, hidden: int, mixtures: int, latent: int) -> Burst:
    lanes = candidates * ROLLOUTS
    gates, seen, heads, controllers = (
        torch.randn(4 * hidden, 1 + ACTION + latent + hidden),
        torch.randn(1 + ACTION + latent + hidden, lanes),
        torch.randn(3 * mixtures * latent + 2, hidden),
        torch.randn(candidates, ACTION, latent + hidden),
    )
    into = torch.empty(4 * hidden, lanes), torch.empty(len(heads), lanes), torch.empty(candidates, ACTION, ROLLOUTS)
    features = seen[1 + ACTION :].view(-1, candidates, ROLLOUTS).transpose(0, 1)

    @torch.inference_mode()
    def burst() -> float:
        for _ in range(STEPS):
            torch.mm(gates, seen, out=into[0])
            torch.mm(heads, seen[-hidden:], out=into[1])
            torch.bmm(controllers, features, out=into[2])
        return float(STEPS * lanes)

    return burst


def one_at_a_time(of: MDNRNN) -> Burst:
    """Return the loop of common reimplementations: a batch of one, an LSTM cell, torch.distributions."""
    weight, bias = torch.randn(ACTION, LATENT + HIDDEN), torch.zeros(ACTION)
    state: list[Tensor] = [torch.zeros(1, LATENT), torch.zeros(1, HIDDEN), torch.zeros(1, HIDDEN)]

    @torch.inference_mode()
    def burst() -> float:
        for _ in range(STEPS):
            z, h, c = state
            action = torch.tanh(torch.cat((z, h), -1) @ weight.T + bias)
            h, c = torch.lstm_cell(torch.cat((z, action), -1), (h, c), *of.lstm.all_weights[0])
            said = of.mixture(h).view(3, MIXTURES, LATENT)
            chosen = torch.distributions.Categorical(logits=said[0].T).sample()[None]  # type: ignore[no-untyped-call]
            mean, spread = said[1].gather(0, chosen), said[2].gather(0, chosen).exp()
            z = torch.distributions.Normal(mean, spread).sample()  # type: ignore[no-untyped-call]
            state[:] = [z, h, c]
            of.reward(h).item()
        return float(STEPS)

    return burst


def rows(effort: Effort) -> list[Row]:
    """Compare the dream with the roofline and with the loop of common reimplementations."""
    of, candidates = memory(), 128
    ours, unit = living(of, candidates), "steps/s"
    alone = products(candidates)
    return [
        compare("dream_roofline", ours, alone, unit=unit, against="its matrix products alone", effort=effort),
        compare("dream_per_sample", ours, one_at_a_time(of), unit=unit, against="one sample at a time", effort=effort),
    ]
