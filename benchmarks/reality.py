"""The fast CarRacing renderer beside the reference: `python benchmarks/reality.py --repeat 4`.

All drive the same way in the same process, a few steps each by turns; each turn gives one ratio of steps
per CPU second, so that what else runs on the machine counts little. The reference renderer leaves drawing
to Gymnasium, but only of frames that are seen; with `--plain`, Gymnasium as it comes, which draws every
frame, takes part as well.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wmframe.envs.car_racing import CarRacing, car_action

BURST = 10  # steps of one contestant before the next takes over
Step = Callable[[NDArray[np.float32]], bool]


def ours(spec: CarRacing, seed: int) -> Step:
    """Drive one of our renderers; the step says whether the episode is over."""
    env = spec.make()
    env.reset(seed=seed)

    def step(action: NDArray[np.float32]) -> bool:
        _, _, terminated, truncated, _ = env.step(action)
        return terminated or truncated

    return step


def plain(repeat: int, seed: int) -> Step:
    """Drive Gymnasium's environment as anybody would, cropping and resizing the last frame."""
    from gymnasium.envs.box2d.car_racing import CarRacing as GymnasiumCarRacing

    env = GymnasiumCarRacing()
    env.reset(seed=seed)

    def step(action: NDArray[np.float32]) -> bool:
        for _ in range(repeat):
            observation, _, terminated, _, _ = env.step(car_action(action))
            if terminated:
                break
        image = Image.fromarray(np.ascontiguousarray(observation[:84]))
        np.array(image.resize((64, 64), Image.Resampling.BOX))
        return bool(terminated)

    return step


def turn(contestants: list[Step], steps: int, seed: int) -> list[float]:
    """Steps per CPU second of each, over the same actions."""
    rng = np.random.default_rng(seed)
    spent = [0.0] * len(contestants)
    done = 0
    while done < steps:
        action = np.array([rng.uniform(-1, 1), rng.uniform(-1, 0.5), rng.uniform(-1, 0.2)], np.float32)
        over = False
        for number, step in enumerate(contestants):
            start = time.process_time()
            for _ in range(BURST):
                over = step(action) or over
            spent[number] += time.process_time() - start
        done += BURST
        if over:
            break
    return [done / seconds for seconds in spent]


def main() -> None:
    """Print one line per turn, then the median ratios and their spread."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=1, choices=[1, 2, 4, 8], help="action repeat")
    parser.add_argument("--turns", type=int, default=7, help="alternations, five or more")
    parser.add_argument("--steps", type=int, default=300, help="steps per turn; the zoomed start costs most")
    parser.add_argument("--plain", action="store_true", help="time plain Gymnasium too")
    options = parser.parse_args()
    spec = CarRacing(action_repeat=options.repeat)
    ratios: dict[str, list[float]] = {"reference": []}
    if options.plain:
        ratios["gymnasium"] = []
    for seed in range(options.turns):
        contestants = [ours(spec, seed), ours(spec.reference(), seed)]
        contestants += [plain(options.repeat, seed)] if options.plain else []
        rates = turn(contestants, options.steps, seed)
        for name, rate in zip(ratios, rates[1:], strict=True):
            ratios[name].append(rates[0] / rate)
        shown = ", ".join(f"{n} {rate:.1f}" for n, rate in zip(["fast", *ratios], rates, strict=True))
        print(f"turn {seed + 1}, steps/s: {shown}", flush=True)
    for name, values in ratios.items():
        print(
            f"fast over {name}, action repeat {options.repeat}: median {statistics.median(values):.2f}, "
            f"spread {min(values):.2f} to {max(values):.2f} over {len(values)} turns"
        )


if __name__ == "__main__":
    main()
