"""What work goes on from: what goes in comes out, and a wrong byte is found."""

from pathlib import Path

import pytest
import torch

from wmframe.engine.durability.resumable import find_state, read_state, write_state
from wmframe.engine.errors import UserError

OWNER = "0" * 16


def state(step: int) -> dict[str, object]:
    """Nested, with integer keys, tuples, None, and tensors of several kinds."""
    return {
        "step": step,
        "weights": {"weight": torch.randn(3, 2), "bias": torch.arange(3)},
        "optimizers": [{"state": {0: {"step": torch.tensor(1.0)}}, "groups": [{"betas": (0.9, 0.999)}]}],
        "loop": {"done": None, "resumed": True, "rate": 0.1},
    }


def write(folder: Path, number: int) -> dict[str, object]:
    said = state(number)
    write_state(folder, said, OWNER, step=number)
    return said


def equal(left: object, right: object) -> bool:
    if isinstance(left, torch.Tensor):
        return isinstance(right, torch.Tensor) and left.dtype == right.dtype and bool((left == right).all())
    if isinstance(left, dict):
        return isinstance(right, dict) and list(left) == list(right) and all(equal(left[k], right[k]) for k in left)
    if isinstance(left, list | tuple):
        return type(left) is type(right) and all(equal(a, b) for a, b in zip(left, right, strict=True))
    return left == right


def test_what_was_written_is_read(tmp_path: Path) -> None:
    written = write(tmp_path / "new", 7)
    assert equal(find_state(tmp_path / "new", OWNER, print), written)
    assert equal(read_state(tmp_path / "new", OWNER), written)


def test_only_the_newest_is_kept(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        written = write(tmp_path, number)
    assert equal(find_state(tmp_path, OWNER, print), written)
    assert len(list(tmp_path.iterdir())) == 2


def test_no_state_is_nothing_to_go_on_from(tmp_path: Path) -> None:
    said: list[str] = []
    assert find_state(tmp_path, OWNER, said.append) is None
    assert find_state(tmp_path / "missing", OWNER, said.append) is None
    assert said == []


@pytest.mark.parametrize("pattern", ["*.safetensors", "state.json"])
@pytest.mark.parametrize("offset", [0, 40, 90, -1])
def test_a_wrong_byte_is_found_and_said_and_the_stage_starts_over(tmp_path: Path, pattern: str, offset: int) -> None:
    write(tmp_path, 1)
    (file,) = tmp_path.glob(pattern)
    content = bytearray(file.read_bytes())
    content[offset] ^= 1
    file.write_bytes(content)
    with pytest.raises(UserError, match="damaged"):
        read_state(tmp_path, OWNER)
    said: list[str] = []
    assert find_state(tmp_path, OWNER, said.append) is None
    assert "starts over" in said[0]
    assert file.name in said[0]
    assert find_state(tmp_path, OWNER, said.append) is None
    assert len(said) == 1


def test_the_state_of_another_result_is_not_taken(tmp_path: Path) -> None:
    write_state(tmp_path, state(1), "1" * 16, step=1)
    assert find_state(tmp_path, OWNER, print) is None


def test_nothing_but_plain_data_is_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="not plain data"):
        write_state(tmp_path, {"step": 1, "callback": object()}, OWNER, step=1)
    assert find_state(tmp_path, OWNER, print) is None
