"""A recipe of a user's own: V and M of random driving, a stage that measures them, no controller and no evaluation.

One file, one YAML (conf/recipe/see_and_remember.yaml beside it), and no edit anywhere else.
"""

# mypy: disable-error-code="empty-body"

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wmframe.engine.graph.recipe import Recipe, precision, replaced
from wmframe.engine.graph.stage import Handle, phase, stage
from wmframe.stages import declared
from wmframe.stages.declared import FittedMemory, FittedVision

if TYPE_CHECKING:
    from wmframe.collect.collection import Collection
    from wmframe.engine.runs.context import StageContext
    from wmframe.envs.spec import EnvSpec
    from wmframe.memory.contract import Memory
    from wmframe.vision.contract import Vision


class Sizes(Handle):
    """What V and M weigh."""


@stage(version=1, run="see_and_remember:weigh")
def sizes(*, vision: FittedVision, memory: FittedMemory, unit: int = 1) -> Sizes:
    """Weigh V and M, in so many bytes."""


@dataclass(frozen=True, kw_only=True)
class SeeAndRemember(Recipe):
    """Record, fit V, fit M, and weigh them."""

    env: "EnvSpec"
    collect: "Collection"
    vision: "Vision"
    memory: "Memory"
    unit: int = 1

    def result(self) -> Sizes:
        """Return what V and M weigh."""
        seed, bits = self.seed, precision(self)
        with phase("1"):
            played = replaced(self.collect, later={})
            episodes = declared.collect(collect=played, env=self.env, seed=self.seed, round=1)
            vision = declared.vision(vision=self.vision, episodes={1: episodes}, seed=seed, precision=bits)
            latents = declared.latents(vision=vision, episodes=episodes)
            memory = declared.memory(
                memory=self.memory, latents={1: latents}, later_share=0.0, seed=seed, precision=bits
            )
        return sizes(vision=vision, memory=memory, unit=self.unit)


def weigh(context: "StageContext", *, vision: Path, memory: Path, unit: int = 1) -> None:
    """Write how large the weights are."""
    weights = {name: folder / "weights.safetensors" for name, folder in (("vision", vision), ("memory", memory))}
    found = {name: path.stat().st_size // unit for name, path in weights.items()}
    with context.history() as history:
        history.log(1, {f"sizes/{name}": float(size) for name, size in found.items()})
    (context.output / "sizes.json").write_text(json.dumps(found))
