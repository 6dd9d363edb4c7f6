"""V, M and C as folders: the component's config beside its weights, no pickle.

Written by the vision, memory and controller stages; read by all stages below, the commands and the report.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import torch
from safetensors.torch import save
from torch import Tensor, nn

from wmframe.controller.contract import Controller
from wmframe.engine.config.bind import Component, bind
from wmframe.engine.config.building import build_as
from wmframe.engine.config.source import is_allowed
from wmframe.engine.durability.files import read_json, write_atomic, write_json
from wmframe.engine.durability.tensors import Layout, check_tensors, layouts, read_tensors
from wmframe.engine.errors import UserError
from wmframe.memory.contract import Memory
from wmframe.vision.contract import Vision
from wmframe.worlds.driver import Driver
from wmframe.worlds.settings import WorldSettings

Network = TypeVar("Network", bound=nn.Module)

_CONFIG, _WEIGHTS = "component.json", "weights.safetensors"

STARTS = "starts.safetensors"
"""Beside a C that was searched for in a dream: the states that its dreams start from."""


def save_module(module: nn.Module, component: Component, folder: Path) -> None:
    """Write a network's config and weights."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}
    write_atomic(folder / _WEIGHTS, save(weights))
    write_json(folder / _CONFIG, component.plain())


def load_vision(folder: Path, *, allowed: Sequence[str], device: torch.device) -> Vision:
    """Rebuild V from its folder, ready to use."""
    return _module(folder, Vision, allowed, "vision").to(device).eval()


def load_memory(folder: Path, *, allowed: Sequence[str], device: torch.device) -> Memory:
    """Rebuild M from its folder, ready to use."""
    return _module(folder, Memory, allowed, "memory").to(device).eval()


def load_weights(module: nn.Module, folder: Path) -> None:
    """Load a network's weights, after checking every name and shape against what its config built."""
    module.load_state_dict(read_tensors(folder / _WEIGHTS, layouts(module.state_dict())))


def save_controller(parameters: Tensor, component: Component, folder: Path) -> None:
    """Write a controller's config and its parameters (D,)."""
    write_atomic(folder / _WEIGHTS, save({"parameters": parameters.float().cpu().contiguous()}))
    write_json(folder / _CONFIG, component.plain())


def load_controller(folder: Path, *, allowed: Sequence[str], device: torch.device) -> tuple[Controller, Tensor]:
    """Rebuild C and its parameters (D,) from their folder."""
    controller = build_as(_component(folder, allowed), Controller, allowed=allowed, path="controller")
    wanted = {"parameters": Layout(torch.float32, (controller.size,))}
    return controller, read_tensors(folder / _WEIGHTS, wanted)["parameters"].to(device)


class Parts(NamedTuple):
    """Where V, M and C lie that act together."""

    vision: Path
    memory: Path
    controller: Path

    @classmethod
    def of(cls, vision: Path | None, memory: Path | None, controller: Path | None) -> "Parts | None":
        """Return them, None unless all three are there."""
        if vision is None or memory is None or controller is None:
            return None
        return cls(vision, memory, controller)


def agent_parts(agent: Path) -> Parts:
    """Return where V, M and C lie in an agent's folder."""
    return Parts(*(agent / part for part in Parts._fields))


def copy_part(folder: Path, to: Path) -> None:
    """Copy V, M or C, with the states that C's dreams start from, into the new folder `to`."""
    to.mkdir(exist_ok=True)
    for name in (_CONFIG, _WEIGHTS, STARTS):
        if (folder / name).is_file():
            shutil.copyfile(folder / name, to / name)


def load_driver(parts: Parts, *, world: WorldSettings, allowed: Sequence[str], device: torch.device) -> Driver:
    """Rebuild a whole agent, trained in such a world, from the folders of its parts."""
    controller, parameters = load_controller(parts.controller, allowed=allowed, device=device)
    return Driver(
        vision=load_vision(parts.vision, allowed=allowed, device=device),
        memory=load_memory(parts.memory, allowed=allowed, device=device),
        controller=controller,
        parameters=parameters,
        sample_latent=world.sample_latent,
        dreamt=world.dreamt,
    )


def _component(folder: Path, allowed: Sequence[str]) -> Component:
    plain = read_json(folder / _CONFIG)
    if not isinstance(plain, dict):
        raise UserError(f"{folder / _CONFIG}: holds no component", exit_code=1)
    return bind(plain, allowed=allowed)


def _module(folder: Path, kind: type[Network], allowed: Sequence[str], path: str) -> Network:
    """Rebuild a network, once it is known that its weights are those of its config."""
    component = _component(folder, allowed)
    if is_allowed(component.target, ("wmframe",)):
        _check_blueprint(component, kind, folder, path)
    module = build_as(component, kind, allowed=allowed, path=path)
    load_weights(module, folder)
    return module


def _check_blueprint(component: Component, kind: type[nn.Module], folder: Path, path: str) -> None:
    """Raise UserError unless the weights fit, without the memory that a config's sizes may ask for."""
    try:
        with torch.device("meta"):
            blueprint = build_as(component, kind, allowed=("wmframe",), path=path)
    except RuntimeError as error:  # more numbers than a tensor can have
        said = str(error).splitlines()[0]
        raise UserError(f"{folder / _CONFIG}: cannot be built ({said})", exit_code=1) from error
    check_tensors(folder / _WEIGHTS, layouts(blueprint.state_dict()))
