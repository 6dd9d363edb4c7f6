"""Lightning's state as plain data: what goes in comes out, and a wrong byte is found."""

from pathlib import Path

import pytest
import torch

from wmframe.engine.errors import UserError
from wmframe.stages.resume import PlainCheckpoints

CHECKPOINTS = PlainCheckpoints("0" * 16)


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


def step(folder: Path) -> int | None:
    found = CHECKPOINTS.saved(folder, print)
    return None if found is None else found.step


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    saved = state(7)
    CHECKPOINTS.save_checkpoint(saved, tmp_path)
    assert step(tmp_path) == 7
    assert equal(CHECKPOINTS.load_checkpoint(tmp_path), saved)


def test_only_the_newest_is_kept(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        CHECKPOINTS.save_checkpoint(state(number), tmp_path)
    assert step(tmp_path) == 3
    assert len(list(tmp_path.iterdir())) == 2


def test_no_state_is_no_step(tmp_path: Path) -> None:
    assert step(tmp_path) is None


@pytest.mark.parametrize("pattern", ["*.safetensors", "state.json"])
@pytest.mark.parametrize("offset", [0, 40, 90, -1])
def test_a_wrong_byte_is_found_and_said_and_the_stage_starts_over(tmp_path: Path, pattern: str, offset: int) -> None:
    CHECKPOINTS.save_checkpoint(state(1), tmp_path)
    (file,) = tmp_path.glob(pattern)
    content = bytearray(file.read_bytes())
    content[offset] ^= 1
    file.write_bytes(content)
    with pytest.raises(UserError, match="damaged"):
        CHECKPOINTS.load_checkpoint(tmp_path)
    said: list[str] = []
    assert CHECKPOINTS.saved(tmp_path, said.append) is None
    assert "starts over" in said[0]
    assert file.name in said[0]
    assert CHECKPOINTS.saved(tmp_path, said.append) is None
    assert len(said) == 1


def test_the_state_of_another_result_is_not_taken(tmp_path: Path) -> None:
    PlainCheckpoints("1" * 16).save_checkpoint(state(1), tmp_path)
    assert step(tmp_path) is None


def test_nothing_but_plain_data_is_saved(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="not plain data"):
        CHECKPOINTS.save_checkpoint({"global_step": 1, "callback": object()}, tmp_path)
    assert step(tmp_path) is None
