"""A user's own modules are executed as they were read for the key, whatever becomes of their files meanwhile."""

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wmframe.engine.config import user_code
from wmframe.engine.config.bind import Component, bind
from wmframe.engine.config.build import build
from wmframe.engine.errors import UserError
from wmframe.envs.process_batch import ProcessBatch
from wmframe.envs.spec import EnvSpec

PART = "def part():\n    import own_helper\n    return own_helper.VALUE\n"
ENV = """
from dataclasses import dataclass
from wmframe.envs.pixel_env import PixelEnv
from wmframe.envs.toy import Toy, ToySimulator

@dataclass(frozen=True, kw_only=True)
class Own(Toy):
    def make(self):
        return PixelEnv(self, OwnSimulator(self))

class OwnSimulator(ToySimulator):
    def frame(self):
        return super().frame() * 0 + 1
"""
ALLOWED = ("wmframe", "own_part", "own_helper", "own_env")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a part of one's own, forgotten again afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_part.py").write_text(PART)
    (tmp_path / "own_helper.py").write_text("VALUE = 1\n")
    (tmp_path / "own_env.py").write_text(ENV)
    yield tmp_path
    user_code.release()
    for name in ALLOWED[1:]:
        sys.modules.pop(name, None)


def bound(target: str = "own_part.part", **arguments: object) -> Component:
    user_code.release()
    return bind({"_target_": target, **arguments}, allowed=ALLOWED)


def made(component: Component) -> Any:
    return build(component, allowed=ALLOWED)


def test_a_helper_that_is_imported_hours_later_is_the_one_that_was_bound(folder: Path) -> None:
    component = bound()
    (folder / "own_helper.py").write_text("VALUE = 2\n")
    (folder / "own_part.py").unlink()
    assert made(component) == 1


def test_an_edit_within_the_same_second_meets_no_stale_bytecode(folder: Path) -> None:
    helper = folder / "own_helper.py"
    os.utime(helper, (1e9, 1e9))
    importlib.import_module("own_helper")  # leaves a .pyc
    del sys.modules["own_helper"]
    helper.write_text("VALUE = 2\n")
    os.utime(helper, (1e9, 1e9))
    assert made(bound()) == 2


def test_another_version_than_this_process_imported_is_refused_but_for_comments(folder: Path) -> None:
    assert made(bound()) == 1
    (folder / "own_helper.py").write_text("VALUE = 1  # as before\n")
    assert made(bound()) == 1
    (folder / "own_helper.py").write_text("VALUE = 2\n")
    with pytest.raises(
        UserError, match=r"own_helper\.py was edited since this process imported it.* process of its own"
    ):
        made(bound())


def test_a_module_that_was_imported_before_it_was_read_is_refused(folder: Path) -> None:
    importlib.import_module("own_helper")
    with pytest.raises(UserError, match=r"own_helper\.py was read for the result's key after this process imported it"):
        made(bound())


def test_what_is_bound_again_is_what_is_held(folder: Path) -> None:
    component = bound()
    made(component)
    (folder / "own_helper.py").write_text("VALUE = 2\n")
    assert bind(component.plain(), allowed=ALLOWED).code == component.code
    assert bound().code != component.code, "a new command means the file as it is now"


def test_workers_step_the_environment_that_was_bound(folder: Path) -> None:
    spec = made(bound("own_env.Own", action_size=1, action_repeat=1, max_frames=40, speed=0.1))
    assert isinstance(spec, EnvSpec)
    (folder / "own_env.py").write_text(ENV.replace("* 0 + 1", "* 0 + 2"))
    batch = ProcessBatch(spec, 1)
    try:
        assert batch.reset([3]).max() == 1
    finally:
        batch.close()


def test_source_that_is_asked_for_is_what_is_held(folder: Path) -> None:
    import inspect

    component = bound()
    (folder / "own_part.py").write_text("\n\ndef other(): ...\n")
    made(component)
    assert inspect.getsource(sys.modules["own_part"].part) == PART
