"""V, M and C as folders: the component's config beside its weights, no pickle.

Written by the vision, memory and controller stages; read by all stages below, the commands and the report.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from wmframe.config.bind import Component, bind
from wmframe.controller.contract import Controller
from wmframe.errors import UserError
from wmframe.files import read_json, write_atomic, write_json
from wmframe.memory.contract import Memory
from wmframe.stages.building import build_as
from wmframe.vision.contract import Vision
from wmframe.worlds.driver import Driver
from wmframe.worlds.settings import DreamSettings, WorldSettings

_CONFIG, _WEIGHTS = "component.json", "weights.safetensors"


def save_module(module: nn.Module, component: Component, folder: Path) -> None:
    """Write a network's config and weights."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}
    write_atomic(folder / _WEIGHTS, save(weights))
    write_json(folder / _CONFIG, component.plain())


def load_vision(folder: Path, *, allowed: Sequence[str], device: torch.device) -> Vision:
    """Rebuild V from its folder, ready to use."""
    vision = build_as(_component(folder, allowed), Vision, allowed=allowed, path="vision")
    load_weights(vision, folder)
    return vision.to(device).eval()


def load_memory(folder: Path, *, allowed: Sequence[str], device: torch.device) -> Memory:
    """Rebuild M from its folder, ready to use."""
    memory = build_as(_component(folder, allowed), Memory, allowed=allowed, path="memory")
    load_weights(memory, folder)
    return memory.to(device).eval()


def load_weights(module: nn.Module, folder: Path) -> None:
    """Load a network's weights, after checking every name and shape against what its config built."""
    weights, wanted = load_file(folder / _WEIGHTS), module.state_dict()
    wrong = [name for name in {*weights, *wanted} if _shape(weights, name) != _shape(wanted, name)]
    if wrong:
        name = min(wrong)
        raise UserError(
            f"{folder / _WEIGHTS} does not fit its config in {len(wrong)} tensors, the first {name}: "
            f"{_shape(weights, name)} in the file, {_shape(wanted, name)} by the config",
            exit_code=1,
        )
    module.load_state_dict(weights)


def save_controller(parameters: Tensor, component: Component, folder: Path) -> None:
    """Write a controller's config and its parameters (D,)."""
    write_atomic(folder / _WEIGHTS, save({"parameters": parameters.float().cpu().contiguous()}))
    write_json(folder / _CONFIG, component.plain())


def load_controller(folder: Path, *, allowed: Sequence[str], device: torch.device) -> tuple[Controller, Tensor]:
    """Rebuild C and its parameters (D,) from their folder."""
    controller = build_as(_component(folder, allowed), Controller, allowed=allowed, path="controller")
    parameters = load_file(folder / _WEIGHTS)["parameters"]
    if parameters.shape != (controller.size,):
        raise UserError(
            f"{folder / _WEIGHTS} holds {tuple(parameters.shape)} parameters, its config wants ({controller.size},)",
            exit_code=1,
        )
    return controller, parameters.to(device)


def load_driver(
    folders: Mapping[str, Path], *, world: WorldSettings, allowed: Sequence[str], device: torch.device
) -> Driver:
    """Rebuild a whole agent, trained in such a world, from its folders "vision", "memory" and "controller"."""
    controller, parameters = load_controller(folders["controller"], allowed=allowed, device=device)
    return Driver(
        vision=load_vision(folders["vision"], allowed=allowed, device=device),
        memory=load_memory(folders["memory"], allowed=allowed, device=device),
        controller=controller,
        parameters=parameters,
        sample_latent=world.sample_latent,
        dreamt=isinstance(world, DreamSettings),
    )


def _component(folder: Path, allowed: Sequence[str]) -> Component:
    return bind(read_json(folder / _CONFIG), allowed=allowed)


def _shape(tensors: dict[str, Tensor], name: str) -> tuple[int, ...] | None:
    return tuple(tensors[name].shape) if name in tensors else None
