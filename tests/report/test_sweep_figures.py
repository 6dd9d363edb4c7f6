"""A sweep's figures: what is drawn over what, and what is not."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.report.sweeps import make_sweep, scores
from wmframe.report.contents import Curve
from wmframe.report.curves import draw
from wmframe.report.sweep_figures import figures
from wmframe.report.sweep_rows import gather_rows


def drawn(root: Path, overrides: Sequence[str], outcomes: Sequence[Mapping[str, Any] | str]) -> dict[str, Curve]:
    return {curve.title: curve for curve in figures(gather_rows(make_sweep(root, overrides, outcomes)))}


def test_score_and_gap_over_a_number_with_every_run_and_the_random_policy(tmp_path: Path) -> None:
    outcomes = [scores(100.0 + n, 10.0, steps=50) for n in range(6)]
    found = drawn(tmp_path, ["world.temperature=0.5,1.0,1.15", "seed=1,2"], outcomes)
    assert list(found) == [
        *("Awake, by world.temperature", "Dream minus reality, by world.temperature"),
        "Dream against reality, every training run",
    ]
    mean, dots, random = found["Awake, by world.temperature"].series
    assert list(mean.x) == [0.5, 1.0, 1.15]
    assert list(mean.y) == pytest.approx([100.5, 102.5, 104.5])
    assert list(dots.x) == [0.5, 0.5, 1.0, 1.0, 1.15, 1.15]
    assert list(dots.y) == pytest.approx([*range(100, 106)])
    assert (random.marks, list(random.y)) == ("level", [-50, -50])
    gap = found["Dream minus reality, by world.temperature"].series[0]
    assert list(gap.y) == pytest.approx([-90.5, -92.5, -94.5])


def test_two_numbers_make_a_line_for_each_value_of_the_other(tmp_path: Path) -> None:
    found = drawn(tmp_path, ["memory.mixtures=1,5", "vision.latent_size=8,16,32"], [scores(n) for n in range(6)])
    assert list(found) == ["Awake, by memory.mixtures", "Awake, by vision.latent_size"]
    by_size = found["Awake, by vision.latent_size"]
    assert [series.name for series in by_size.series] == [
        *("memory.mixtures 1", "memory.mixtures 5", "", "", "random policy")
    ]
    assert list(by_size.series[1].y) == pytest.approx([3, 4, 5])
    assert by_size.x_log
    assert list(by_size.x_ticks) == [8, 16, 32]


def test_words_are_no_axis(tmp_path: Path) -> None:
    assert drawn(tmp_path, ["controller.senses=z,zh"], [scores(n) for n in range(2)]) == {}


def test_one_value_that_ran_is_no_curve(tmp_path: Path) -> None:
    assert drawn(tmp_path, ["memory.mixtures=1,5"], [scores(1.0), "waiting"]) == {}


def test_the_papers_mark_is_drawn_on_its_own_task_alone(tmp_path: Path) -> None:
    found = drawn(tmp_path, ["ablation=temperature", "seed=1"], [scores(float(n), 1.0) for n in range(5)])
    assert "paper" not in {series.name for series in found["Awake, by world.temperature"].series}


@pytest.mark.parametrize(
    ("dreams", "said"),
    [
        ([1, 2, 3, 4], "correlation 1.00 over 4 training runs:"),
        ([4, 3, 2, 1], "correlation −1.00 over 4 training runs:"),
        ([1, 1, 1, 1], "No rank correlation: 4 runs"),
    ],
)
def test_dream_against_reality_with_its_rank_correlation(tmp_path: Path, dreams: list[float], said: str) -> None:
    runs = [
        {world: {"returns": [10.0 * value] * 4, "lengths": [9] * 4} for world, value in (("reality", n), ("dream", d))}
        for n, d in enumerate(dreams)
    ]
    [curve] = drawn(tmp_path, ["seed=1,2,3,4"], runs).values()
    assert said in curve.note
    assert draw(curve).count("<use") == 4
