"""`python -m tests.torture.scored WEIGHTS FRAMES SEEDS`: how one driver drives on the real track, by how it computes.

One JSON line goes out: by "float32" and "float64" the returns on seeds 0 … SEEDS - 1 and a digest of all actions as the
environment got them. Run apart, because in which instructions PyTorch computes is settled when it is loaded.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_model

from wmframe.controller.linear import Linear
from wmframe.envs.car_racing import CarRacing
from wmframe.envs.process_batch import make_batch
from wmframe.memory.mdn_rnn import MDNRNN
from wmframe.vision.conv_vae import ConvVAE
from wmframe.worlds.contract import Step
from wmframe.worlds.driver import Driver
from wmframe.worlds.rollout import rollout

Z, H, A = 32, 256, 3


class Weights(torch.nn.Module):
    """V, M and C of the paper's sizes (but for V's width, which is a matter of time), as they are initialised."""

    def __init__(self) -> None:
        super().__init__()
        self.vision = ConvVAE(latent_size=Z, width=8)
        self.memory = MDNRNN(latent_size=Z, action_size=A, hidden_size=H, mixtures=5)
        self.parameter = torch.nn.Parameter(torch.randn(linear().size) * 0.5, requires_grad=False)

    def driver(self) -> Driver:
        """Return the driver that they make."""
        return Driver(
            vision=self.vision.eval(),
            memory=self.memory.eval(),
            controller=linear(),
            parameters=self.parameter.data,
            sample_latent=True,
            dreamt=True,
        )


def linear() -> Linear:
    """Return the paper's controller."""
    return Linear(latent_size=Z, hidden_size=H, action_size=A)


@torch.inference_mode()
def main(weights: Path, frames: int, seeds: int) -> None:
    """Drive."""
    loaded = Weights()
    load_model(loaded, weights)
    driver, found = loaded.driver(), {}
    with make_batch(CarRacing(action_repeat=4, max_frames=frames), 1) as batch:
        for name, precise in (("float32", driver), ("float64", driver.in_double())):
            done = hashlib.sha256()

            def watch(_: Step, actions: torch.Tensor | None, done: Any = done) -> None:
                if actions is not None:
                    done.update(actions.float().numpy().tobytes())

            outcome = rollout(precise.awake(batch), precise.act(), range(seeds), watch=watch)
            found[name] = {"returns": outcome.returns.tolist(), "actions": done.hexdigest()}
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
