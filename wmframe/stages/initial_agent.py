"""What a finished agent from elsewhere (`first_driver`) says of itself: whether it fits, and what it has seen.

Its folder comes in. Called by the stages that let it drive (collect) or go on (controller).
"""

from pathlib import Path

from wmframe.engine.durability.files import read_json
from wmframe.engine.errors import UserError
from wmframe.envs.spec import EnvSpec
from wmframe.memory.contract import Memory


def check_it_fits(agent: Path, memory: Memory, spec: EnvSpec) -> None:
    """Raise UserError if an agent, of which this is M, cannot act in an environment, or acts there at another rate."""
    if memory.action_size != spec.action_size:
        raise UserError(
            f"first_driver: its actions have {memory.action_size} parts, this environment's {spec.action_size}. "
            "Name an agent that was trained in it."
        )
    if (held := _action_repeat(agent)) != spec.action_repeat:
        raise UserError(
            f"first_driver: it acts every {held} frames, and here env.action_repeat={spec.action_repeat}: to its M the "
            f"world would go by at another speed. Use env.action_repeat={held}, or another driver."
        )


def inherited_frames(agent: Path) -> int:
    """Return how many of the environment's frames an agent's V and M had learned from."""
    recorded = read_json(agent / "agent.json")["recorded"]
    return sum(data["environment_frames"] + data.get("inherited_frames", 0) for data in recorded)


def _action_repeat(agent: Path) -> int:
    """Return how many of the environment's frames an agent's actions were held for while it learned."""
    first = read_json(agent / "agent.json")["recorded"][0]
    steps = first["recorded_frames"] - sum(first["episodes"].values())
    return int(first["environment_frames"] // steps)
