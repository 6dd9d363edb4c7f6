"""docs/ablations.md says what conf/ablation does."""

from pathlib import Path

import pytest

from wmframe.engine.config.ablation import find_ablation
from wmframe.engine.config.shipped import choices

PAGE = (Path(__file__).parents[1] / "docs" / "ablations.md").read_text()


@pytest.mark.parametrize("name", choices()["ablation"])
def test_every_ablation_is_on_the_page_with_the_papers_numbers_and_their_source(name: str) -> None:
    ablation = find_ablation([f"ablation={name}"])
    assert ablation is not None
    [said] = [
        " ".join(part.split()) for part in PAGE.split("\n### ") if part.startswith(f"`wmframe run -m ablation={name}`")
    ]
    assert ablation.title in said
    assert ablation.source in said
    for row, numbers in ablation.paper.items():
        assert f"| {row} | {numbers['mean']:.0f} ± {numbers['std']:.0f} |" in said
    for key in ablation.params:
        assert key == "seed" or f"`{key}`" in said
