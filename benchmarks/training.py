"""A step of V and of M beside plain loops and matrix products, and what reading shards adds to a step.

Legend: B batch, T time, I input, H hidden.
"""

import tempfile
from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.measure import Burst, Effort, Row, compare
from benchmarks.parts import ACTION, HIDDEN, LATENT, MIXTURES, memory
from wmframe.data.episodes import EpisodeReader, ShardWriter
from wmframe.data.frame_batches import POOL_CHUNKS, FrameBatches
from wmframe.data.latents import EncodedEpisodes, LatentData
from wmframe.data.windows import Window, Windows
from wmframe.memory.mdn_rnn import MDNRNN
from wmframe.vision.conv_vae import ConvVAE

BATCH, SEQUENCE = 100, 500
"""The paper's."""


def vision_step(vision: ConvVAE, optimizer: torch.optim.Optimizer, frames: Tensor) -> float:
    """One step on a batch of frames; returns how many those are."""
    optimizer.zero_grad()
    squared_error, kl = vision.loss(frames)
    (squared_error + kl).backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return float(len(frames))


def vision_training(effort: Effort) -> Row:
    """The package's V beside the same layers as PyTorch has them, in the loop that everybody writes."""
    frames = torch.randint(0, 256, (BATCH, 64, 64, 3), dtype=torch.uint8)
    ours = new_vision()
    plain = ConvVAE(latent_size=LATENT)
    plain.decoder[2] = nn.ConvTranspose2d(1024, 128, 5, 2)
    plain.decoder[8] = nn.ConvTranspose2d(32, 3, 6, 2)
    adam = torch.optim.Adam(plain.parameters(), lr=1e-4)
    return compare(
        "vision_training",
        lambda: vision_step(*ours, frames),
        lambda: vision_step(plain, adam, frames),
        unit="frames/s",
        against="the same layers, plainly",
        effort=effort,
    )


def vision_loading(effort: Effort) -> Row:
    """Reading, decompressing and shuffling a pool of frames, beside V's steps on as many: 20 is a share of 5 %."""
    vision, adam = new_vision()
    kept = torch.randint(0, 256, (BATCH, 64, 64, 3), dtype=torch.uint8)
    with tempfile.TemporaryDirectory() as folder:
        write_shard(Path(folder) / "s-0.h5")
        with closing(EpisodeReader([Path(folder)])) as reader:
            episodes = range(len(reader.episodes))
            batches = iter(FrameBatches(reader, episodes, batch_size=BATCH, seed=0, start=0, stop=10**9))
            pool = 32 * POOL_CHUNKS // BATCH
            return compare(
                "vision_loading",
                lambda: float(sum(len(batch) for batch in islice(batches, pool))),
                lambda: vision_step(vision, adam, kept),
                unit="frames/s",
                against="V's steps",
                effort=effort,
            )


def memory_loading(effort: Effort) -> Row:
    """Drawing batches of windows from mapped latents, beside M's steps on them: 20 is a share of 5 %."""
    (ours, adam), kept = new_memory(), window(BATCH, SEQUENCE)
    batches = iter(Windows(_latents(), range(40), batch_size=BATCH, length=SEQUENCE, seed=0, start=0, stop=10**9))
    return compare(
        "memory_loading",
        lambda: float(next(batches).mask.numel()),
        lambda: memory_step(ours, adam, kept),
        unit="sequence steps/s",
        against="M's steps",
        effort=effort,
    )


def memory_training(effort: Effort) -> Row:
    """A step of M on the paper's windows beside its matrix products, forward and backward."""
    (ours, adam), kept = new_memory(), window(BATCH, SEQUENCE)
    return compare(
        "memory_training",
        lambda: memory_step(ours, adam, kept),
        memory_products(BATCH, SEQUENCE),
        unit="sequence steps/s",
        against="its matrix products alone",
        effort=effort,
    )


def memory_step(of: MDNRNN, adam: torch.optim.Optimizer, batch: Window) -> float:
    """One step on a batch of windows; returns how many steps those have."""
    adam.zero_grad()
    of.loss(batch)["loss"].backward()  # type: ignore[no-untyped-call]
    of.on_before_optimizer_step(adam)
    adam.step()
    return float(batch.mask.numel())


def memory_products(batch: int, time: int) -> Burst:
    """Return the products of one step: gates from inputs (whole), from states (step by step), heads; there and back."""
    into, said = LATENT + ACTION, 3 * MIXTURES * LATENT + 2
    x, h = torch.randn(time * batch, into), torch.randn(time, batch, HIDDEN)
    from_x, from_h, heads = torch.randn(into, 4 * HIDDEN), torch.randn(HIDDEN, 4 * HIDDEN), torch.randn(HIDDEN, said)
    gates, out = torch.empty(time, batch, 4 * HIDDEN), torch.empty(time * batch, said)
    back, whole = torch.empty(batch, HIDDEN), torch.empty(time * batch, HIDDEN)
    gradients = torch.empty_like(from_x), torch.empty_like(from_h), torch.empty_like(heads)

    @torch.inference_mode()
    def burst() -> float:
        rows, states = gates.view(time * batch, -1), h.view(time * batch, -1)
        torch.mm(x, from_x, out=rows)
        for t in range(time):
            torch.mm(h[t], from_h, out=gates[t])
        torch.mm(states, heads, out=out)
        torch.mm(out, heads.mT, out=whole)
        torch.mm(states.mT, out, out=gradients[2])
        for t in range(time):
            torch.mm(gates[t], from_h.mT, out=back)
        torch.mm(states.mT, rows, out=gradients[1])
        torch.mm(x.mT, rows, out=gradients[0])
        return float(time * batch)

    return burst


def rows(effort: Effort) -> list[Row]:
    """Compare what fitting costs."""
    return [row(effort) for row in (vision_training, memory_training, vision_loading, memory_loading)]


def new_vision() -> tuple[ConvVAE, torch.optim.Optimizer]:
    """Return the paper's V and its optimizer."""
    vision = ConvVAE(latent_size=LATENT)
    return vision, torch.optim.Adam(vision.parameters(), lr=1e-4, fused=True)


def new_memory() -> tuple[MDNRNN, torch.optim.Optimizer]:
    """Return the paper's M and its optimizer."""
    of = memory().train()
    return of, torch.optim.Adam((p for p in of.parameters() if p.requires_grad), lr=1e-3, fused=True)


def window(batch: int, time: int) -> Window:
    """Return a batch of windows of noise."""
    chance = torch.Generator().manual_seed(0)
    mu = torch.randn(batch, time + 1, LATENT, generator=chance)
    actions = 2 * torch.rand(batch, time, ACTION, generator=chance) - 1
    rewards = torch.randn(batch, time, generator=chance)
    off, on = torch.zeros(batch, time), torch.ones(batch, time)
    return Window(mu, torch.full_like(mu, -3.0), actions, rewards, done=off, mask=on, ahead=off, ahead_mask=on)


def _latents() -> LatentData:
    """Return 40 episodes of 1,000 steps."""
    rows = 40 * 1001
    rng = np.random.default_rng(0)
    mu = rng.standard_normal((rows, LATENT)).astype(np.float16)
    zeros = np.zeros(rows, np.float32)
    return LatentData(
        [
            EncodedEpisodes(
                mu,
                mu,
                np.zeros((rows, ACTION), np.float32),
                zeros,
                zeros,
                np.arange(41) * 1001,
                np.arange(40),
                np.full(40, 1000),
            )
        ]
    )


def write_shard(path: Path) -> None:
    """Write 32 episodes of 1,000 frames that compress about as real ones do: flat shapes that move."""
    rng = np.random.default_rng(0)
    with ShardWriter(path, 32) as writer:
        for lane in range(32):
            for step in range(1000):
                frame = np.full((64, 64, 3), (102, 204, 102), np.uint8)
                frame[:, (7 * lane + step) % 40 : (7 * lane + step) % 40 + 20] = 105
                frame[rng.integers(64, size=40), rng.integers(64, size=40)] = 230
                writer.frame(lane, frame)
                if step:
                    writer.step(lane, np.zeros(ACTION, np.float32), 0.0)
            writer.finish(
                lane,
                {
                    "seed": lane,
                    "source": "none",
                    "origin": "random",
                    "policy": "",
                    "backend": "",
                    "limit": 1000,
                    "terminated": False,
                },
            )
