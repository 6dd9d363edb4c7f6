"""Lightning's state as plain data: what goes in comes out, and a wrong byte is found."""

from pathlib import Path

import pytest
import torch

from wmframe.errors import UserError
from wmframe.stages.resume import PlainCheckpoints, saved_step


def state(step: int) -> dict[str, object]:
    """The shape of a Lightning checkpoint: integer keys, tuples, None, tensors of several kinds."""
    return {
        "global_step": step,
        "state_dict": {"weight": torch.randn(3, 2), "bias": torch.arange(3)},
        "optimizer_states": [{"state": {0: {"step": torch.tensor(1.0)}}, "param_groups": [{"betas": (0.9, 0.999)}]}],
        "loops": {"fit_loop": {"done": None, "resumed": True, "rate": 0.1}},
    }


def equal(left: object, right: object) -> bool:
    if isinstance(left, torch.Tensor):
        return isinstance(right, torch.Tensor) and left.dtype == right.dtype and bool((left == right).all())
    if isinstance(left, dict):
        return isinstance(right, dict) and list(left) == list(right) and all(equal(left[k], right[k]) for k in left)
    if isinstance(left, list | tuple):
        return type(left) is type(right) and all(equal(a, b) for a, b in zip(left, right, strict=True))
    return left == right


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    saved = state(7)
    PlainCheckpoints().save_checkpoint(saved, tmp_path)
    assert saved_step(tmp_path) == 7
    assert equal(PlainCheckpoints().load_checkpoint(tmp_path), saved)


def test_only_the_newest_is_kept(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        PlainCheckpoints().save_checkpoint(state(step), tmp_path)
    assert saved_step(tmp_path) == 3
    assert len(list(tmp_path.iterdir())) == 2


def test_no_state_is_no_step(tmp_path: Path) -> None:
    assert saved_step(tmp_path) is None


@pytest.mark.parametrize("offset", [0, 40, -1])
def test_a_wrong_byte_is_found(tmp_path: Path, offset: int) -> None:
    PlainCheckpoints().save_checkpoint(state(1), tmp_path)
    (file,) = tmp_path.glob("*.safetensors")
    content = bytearray(file.read_bytes())
    content[offset] ^= 1
    file.write_bytes(content)
    with pytest.raises(UserError, match="damaged"):
        PlainCheckpoints().load_checkpoint(tmp_path)


def test_nothing_but_plain_data_is_saved(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="not plain data"):
        PlainCheckpoints().save_checkpoint({"global_step": 1, "callback": object()}, tmp_path)
    assert saved_step(tmp_path) is None
