"""How the costs grow: `make bench-scaling` draws docs/performance.svg. Legend: P population, Z latent, K mixtures."""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from benchmarks.dreams import living
from benchmarks.measure import Burst
from benchmarks.parts import ACTION, HIDDEN, LATENT, MIXTURES, memory
from benchmarks.training import BATCH, memory_step, new_memory, new_vision, vision_step, window, write_shard
from wmframe.data.episodes import EpisodeReader
from wmframe.data.frame_batches import POOL_CHUNKS, FrameBatches
from wmframe.engine.machine import Machine, cores

TURNS = 5
Points = dict[float, list[float]]
"""What was measured, every turn's figure, over what was varied."""


def work(latent: int, mixtures: int) -> float:
    """Floating-point operations in the products of one lane's step."""
    gates = 4 * HIDDEN * (1 + ACTION + latent + HIDDEN)
    return 2.0 * (gates + HIDDEN * (3 * mixtures * latent + 2) + ACTION * (latent + HIDDEN))


def vary(values: Sequence[float], make: Callable[[int], Burst]) -> Points:
    """Return work per second at each value, in turns that go through all of them."""
    bursts = {value: make(int(value)) for value in values}
    for burst in bursts.values():
        burst()
    found: Points = {value: [] for value in values}
    for _ in range(TURNS):
        for value, burst in bursts.items():
            begun = time.perf_counter()
            found[value].append(burst() / (time.perf_counter() - begun))
    return found


def threads(make: Callable[[], Burst]) -> Points:
    """Return how many times as fast 1, 2, … threads are as one, turn by turn."""
    found: Points = {float(count): [] for count in range(1, cores() + 1)}
    for turn in range(TURNS + 1):
        rates = {}
        for count in found:
            torch.set_num_threads(int(count))
            burst = make()
            burst()
            begun = time.perf_counter()
            rates[count] = burst() / (time.perf_counter() - begun)
        if turn:
            for count, rate in rates.items():
                found[count].append(rate / rates[1.0])
    return found


def loading(shards: Sequence[int]) -> tuple[Points, Points]:
    """Return frames per second that V is dealt, and seconds until the first, over thousands of frames."""
    rates: Points = {}
    opening: Points = {}
    with tempfile.TemporaryDirectory() as folder:
        write_shard(Path(folder) / "s-0.h5")
        for many in shards:
            for number in range(1, many):
                if not (link := Path(folder) / f"s-{number}.h5").exists():
                    os.link(Path(folder) / "s-0.h5", link)
            begun = time.perf_counter()
            with closing(EpisodeReader([Path(folder)])) as reader:
                opening[32.0 * many] = [time.perf_counter() - begun]
                episodes = range(len(reader.episodes))
                batches = iter(FrameBatches(reader, episodes, batch_size=BATCH, seed=0, start=0, stop=10**9))
                rates[32.0 * many] = [_dealt(batches) for _ in range(TURNS)]
    return rates, opening


def _dealt(batches: Iterator[Tensor]) -> float:
    begun = time.perf_counter()
    frames = sum(len(batch) for batch in islice(batches, 32 * POOL_CHUNKS // BATCH))
    return float(frames / (time.perf_counter() - begun))


def draw(axes: Axes, points: Points, name: str, colour: str) -> None:
    """Draw medians with the range of the turns."""
    middle = [float(np.median(values)) for values in points.values()]
    low, high = ([f(values) for values in points.values()] for f in (min, max))
    axes.fill_between(list(points), low, high, color=colour, alpha=0.2, linewidth=0)
    axes.plot(list(points), middle, "o-", color=colour, label=name, markersize=4)


def microseconds(points: Points) -> Points:
    """Return lane steps per second as microseconds each."""
    return {value: [1e6 / rate for rate in rates] for value, rates in points.items()}


def dream_panel(axes: Axes, name: str, points: Points, cost: Callable[[float], float]) -> None:
    """Draw a dream's cost over a size, with the straight line in operations that fits it."""
    draw(axes, points, "measured", "C0")
    sizes, middle = list(points), [float(np.median(values)) for values in points.values()]
    slope, constant = np.polyfit([cost(size) for size in sizes], middle, 1)
    axes.plot(sizes, [constant + slope * cost(size) for size in sizes], "--", color="C1", label="a + b · operations")
    axes.set(title=f"Dream: {name}", xlabel=name, ylabel="µs a lane's step", ylim=(0, None))
    axes.legend(frameon=False)
    measured = {int(size): round(value, 1) for size, value in zip(sizes, middle, strict=True)}
    print(f"{name}: {constant:.2f} µs + {slope * 1e6:.2f} µs per million operations; {measured}")


def dream_panels(panels: Sequence[Axes]) -> None:
    """Measure and draw dreams over population, latent size and mixtures."""
    points = microseconds(vary([4, 8, 16, 32, 64, 128, 256], lambda p: living(memory(), p)))
    draw(panels[0], points, "measured", "C0")
    panels[0].set(title="Dream: population", xlabel="candidates, 16 dreams each", ylabel="µs a lane's step")
    panels[0].set(xscale="log", ylim=(0, None))
    print("population:", {int(size): round(float(np.median(values)), 1) for size, values in points.items()})
    by_latent = microseconds(vary([8, 16, 32, 64, 128], lambda z: living(memory(latent=z), 64)))
    dream_panel(panels[1], "latent size Z", by_latent, lambda z: work(int(z), MIXTURES))
    by_mixtures = microseconds(vary([1, 2, 5, 10, 20], lambda k: living(memory(mixtures=k), 64)))
    dream_panel(panels[2], "mixtures K", by_mixtures, lambda k: work(LATENT, int(k)))


def data_panels(panels: Sequence[Axes]) -> None:
    """Measure and draw reading over the size of the data set."""
    rates, opening = loading([1, 4, 16, 64, 256])
    for axes, points, title in (
        (panels[0], rates, "frames/s dealt to V"),
        (panels[1], opening, "s to open the shards"),
    ):
        draw(axes, points, title, "C0")
        axes.set(title=f"Data: {title}", xlabel="episodes of 1,000 frames", xscale="log", ylim=(0, None))
        if points is opening:
            axes.set(yscale="log", ylim=(None, None))
        print(f"{title}:", {int(size): round(float(np.median(values)), 2) for size, values in points.items()})


def thread_panel(axes: Axes) -> None:
    """Measure and draw what more threads are worth."""
    vision, adam = new_vision()
    frames = torch.randint(0, 256, (BATCH, 64, 64, 3), dtype=torch.uint8)
    of, its_adam = new_memory()
    windows = window(BATCH, 100)
    makers: dict[str, Callable[[], Burst]] = {
        "dream": lambda: living(memory(), 64),
        "V": lambda: lambda: vision_step(vision, adam, frames),
        "M": lambda: lambda: memory_step(of, its_adam, windows),
    }
    for number, (name, make) in enumerate(makers.items()):
        points = threads(make)
        draw(axes, points, name, f"C{number}")
        print(f"{name}, times as fast:", {int(n): round(float(np.median(values)), 2) for n, values in points.items()})
    axes.set(title="Threads", xlabel="threads", ylabel="times as fast as one", ylim=(0, None))
    axes.set_xticks(range(1, cores() + 1))
    axes.legend(frameon=False)


def main() -> None:
    """Measure and draw everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("docs/performance.svg"))
    options = parser.parse_args()
    Machine(accelerator="cpu").settle()
    figure = Figure(figsize=(11, 6.2), layout="constrained")
    panels = list(figure.subplots(2, 3).ravel())
    dream_panels(panels[:3])
    data_panels(panels[3:5])
    thread_panel(panels[5])
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
    with mpl.rc_context({"svg.hashsalt": "wmframe"}):
        figure.savefig(options.output, metadata={"Date": None})


if __name__ == "__main__":
    main()
