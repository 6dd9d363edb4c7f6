"""The notebooks: kept without output, executed from top to bottom, and each ends with its pictures drawn."""

import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
SECONDS_A_CELL = 900

Cell = dict[str, Any]


def cells(notebook: Any, kind: str) -> list[Cell]:
    return [cell for cell in notebook.cells if cell["cell_type"] == kind]


def test_there_are_three() -> None:
    assert [path.name[0] for path in NOTEBOOKS] == ["1", "2", "3"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_output(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = cells(notebook, "code")
    assert len(code) >= 4
    assert [cell["outputs"] for cell in code] == [[]] * len(code)
    assert {cell["execution_count"] for cell in code} == {None}
    assert {key for cell in notebook.cells for key in cell["metadata"]} == set()
    assert len(cells(notebook, "markdown")) > len(code) / 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all, as a reader has: what the first computes, the others find."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(path: Path, folder: Path) -> None:
    copy = Path(shutil.copy(path, folder))
    notebook = nbformat.read(copy, as_version=4)
    NotebookClient(notebook, timeout=SECONDS_A_CELL, resources={"metadata": {"path": str(folder)}}).execute()
    nbformat.write(notebook, copy)
    for cell in cells(notebook, "code"):
        pictures = [output for output in cell["outputs"] if "image/png" in output.get("data", {})]
        assert len(pictures) == ("plt." in cell["source"])
    assert path.name[0] != "3" or "horizon 30" in str(notebook)
