from pathlib import Path

import pytest
from PIL import Image

from tests.engine.runs.toy_run import DREAMING, toy_run
from wmframe.engine.errors import UserError
from wmframe.engine.runs.runs import Run
from wmframe.report.film import film


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return toy_run(tmp_path_factory.mktemp("film"), *DREAMING)


@pytest.mark.parametrize(("world", "frames", "wider"), [("reality", 5, True), ("dream", 21, False)])
def test_a_driver_is_filmed_awake_and_dreaming(run: Run, tmp_path: Path, world: str, frames: int, wider: bool) -> None:
    steps = 4 if world == "reality" else 20  # beyond the horizon that the run searched in
    out = film(run, world=world, seed=0, steps=steps, fps=10, out=tmp_path / "film.webp", allowed=("wmframe",))
    with Image.open(out) as video:
        assert getattr(video, "n_frames", 1) == frames
        assert (video.width > 400) == wider, "awake, the real frame stands beside what V sees"


def test_who_never_dreamt_is_not_filmed_dreaming(tmp_path: Path) -> None:
    run = toy_run(tmp_path, "world=reality")
    with pytest.raises(UserError, match="was not trained in a dream"):
        film(run, world="dream", seed=0, steps=4, fps=10, out=tmp_path / "film.webp", allowed=("wmframe",))
