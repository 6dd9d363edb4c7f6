"""Weights are read only where they are what their config wants; a header that lies costs no time and no memory."""

import tracemalloc
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.torture.payloads_of_data import HEADERS
from wmframe.engine.durability.tensors import Layout, check_tensors, layouts, read_tensors
from wmframe.engine.errors import UserError
from wmframe.stages.models import load_vision

KINDS = (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.uint8, torch.bool)
TENSORS = {str(kind): torch.ones(2, 3).to(kind) for kind in KINDS}
TENSORS |= {"one": torch.tensor(1.0), "none": torch.ones(0, 4)}


def test_what_is_wanted_is_read(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "w.safetensors", metadata={"format": "pt"})
    found = read_tensors(tmp_path / "w.safetensors", layouts(TENSORS))
    assert all(torch.equal(found[name], tensor) for name, tensor in TENSORS.items())


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"a": Layout(torch.float32, (2, 3))}, "does not fit its config in 1 tensors, the first b"),
        ({"a": Layout(torch.float32, (2, 3)), "b": Layout(torch.float32, (5,))}, r"float32 \(4\) in the file"),
        ({"a": Layout(torch.float16, (2, 3)), "b": Layout(torch.float32, (4,))}, "the first a"),
        ({"a": Layout(torch.float32, (2, 3)), "b": Layout(torch.float32, (None, 4))}, "the first b"),
    ],
)
def test_what_differs_is_named(tmp_path: Path, wanted: dict[str, Layout], said: str) -> None:
    save_file({"a": torch.ones(2, 3), "b": torch.ones(4)}, tmp_path / "w.safetensors")
    with pytest.raises(UserError, match=said):
        read_tensors(tmp_path / "w.safetensors", wanted)


def test_a_length_may_be_left_open(tmp_path: Path) -> None:
    save_file({"a": torch.ones(2, 3)}, tmp_path / "w.safetensors")
    assert read_tensors(tmp_path / "w.safetensors", {"a": Layout(torch.float32, (None, 3))})["a"].shape == (2, 3)


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_lies_is_refused_unread(name: str, tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(HEADERS[name])
    tracemalloc.start()
    with pytest.raises(UserError):
        check_tensors(tmp_path / "w.safetensors", {"parameters": Layout(torch.float32, (2,))})
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1_000_000


def test_a_network_is_weighed_before_it_is_built(tmp_path: Path) -> None:
    (tmp_path / "component.json").write_text(
        '{"_target_": "wmframe.vision.conv_vae.ConvVAE", "latent_size": 1099511627776}'
    )
    save_file({"a": torch.ones(2)}, tmp_path / "weights.safetensors")
    state = torch.get_rng_state()
    with pytest.raises(UserError, match="does not fit its config"):
        load_vision(tmp_path, allowed=("wmframe",), device=torch.device("cpu"))
    assert torch.equal(torch.get_rng_state(), state)
