"""Lightning's seam to the state that a fit goes on from; what becomes of the bytes, `test_resumable` tells."""

from pathlib import Path

import pytest
import torch

from wmframe.stages.resume import PlainCheckpoints

CHECKPOINTS = PlainCheckpoints("0" * 16)


def checkpoint(step: int) -> dict[str, object]:
    return {"global_step": step, "state_dict": {"weight": torch.tensor([1.0, 2.0])}, "callbacks": {"rows": "one\n"}}


def test_lightning_gets_back_what_it_handed_over(tmp_path: Path) -> None:
    CHECKPOINTS.save_checkpoint(checkpoint(7), str(tmp_path))
    loaded = CHECKPOINTS.load_checkpoint(str(tmp_path))
    assert loaded.pop("state_dict")["weight"].tolist() == [1.0, 2.0]
    assert loaded == {"global_step": 7, "callbacks": {"rows": "one\n"}}


def test_the_step_and_what_callbacks_said_are_known_before_lightning_is_asked(tmp_path: Path) -> None:
    assert CHECKPOINTS.saved(tmp_path, print) is None
    CHECKPOINTS.save_checkpoint(checkpoint(3), tmp_path)
    saved = CHECKPOINTS.saved(tmp_path, print)
    assert saved is not None
    assert (saved.step, saved.callbacks) == (3, {"rows": "one\n"})
    assert PlainCheckpoints("1" * 16).saved(tmp_path, print) is None


def test_the_folder_is_not_lightnings_to_delete(tmp_path: Path) -> None:
    with pytest.raises(NotImplementedError, match="belongs to the stage"):
        CHECKPOINTS.remove_checkpoint(tmp_path)
