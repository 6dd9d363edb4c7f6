from collections.abc import Mapping
from pathlib import Path

from wmframe.engine.tracking.history import History
from wmframe.report.histories import awake_by_round, curves, trials_by_round


def written(folder: Path, rows: Mapping[int, float], name: str = "memory/nll") -> Path:
    folder.mkdir()
    with History(folder / "history.jsonl") as history:
        for step, value in rows.items():
            history.log(step, {name: value})
    return folder / "history.jsonl"


def test_rounds_lie_end_to_end(tmp_path: Path) -> None:
    first, second = written(tmp_path / "a", {10: 3.0, 20: 2.0}), written(tmp_path / "b", {5: 1.5, 10: 1.0})
    [curve] = curves({"memory.1": first, "memory.2": second})
    [line] = curve.series
    assert (list(line.x), list(line.y)) == ([10, 20, 25, 30], [3.0, 2.0, 1.5, 1.0])
    assert "2 rounds end to end" in curve.note


def test_fitness_has_the_populations_spread_as_its_band(tmp_path: Path) -> None:
    with History(tmp_path / "history.jsonl") as history:
        for generation in (1, 2):
            row = {"fitness_mean": 5.0 * generation, "fitness_best": 20.0, "fitness_std": 2.0}
            history.log(generation, {f"controller/{name}": value for name, value in row.items()})
    [curve] = curves({"controller.1": tmp_path / "history.jsonl"})
    mean, best = curve.series
    assert (mean.low, mean.high, best.low) == ([3.0, 8.0], [7.0, 12.0], None)


def test_trials_follow_each_other_by_round_however_json_sorted_them() -> None:
    earned = {
        number: {"reality": 10.0 * int(number), "dream": float(number)} for number in sorted(map(str, range(1, 13)))
    }
    [curve] = trials_by_round(earned, 12)
    awake, dreaming = curve.series
    assert list(awake.x) == list(dreaming.x) == list(range(1, 13))
    assert list(awake.y) == [10.0 * number for number in range(1, 13)]
    assert list(dreaming.y) == [float(number) for number in range(1, 13)]


def test_one_round_is_not_spoken_of(tmp_path: Path) -> None:
    [curve] = curves({"memory.1": written(tmp_path / "a", {10: 3.0})})
    assert "round" not in curve.note


def test_a_stage_without_a_history_has_no_figure(tmp_path: Path) -> None:
    assert curves({"latents.1_1": tmp_path / "none.jsonl"}) == []


def test_drivers_awake_are_told_by_the_round_that_made_them() -> None:
    first = {"evolving_0": 100.0}
    second, third = {"driver_mean_0": 5.0, "driver_perturbed_0.3": 1.0}, {"driver_mean_0": 70.0}
    [curve] = awake_by_round([first, second, third])
    assert [(line.name, list(line.x), list(line.y)) for line in curve.series] == [("as it is", [1, 2], [5.0, 70.0])]
    assert awake_by_round([first, second]) == []


def test_a_stage_that_nobody_here_knows_has_a_figure_for_each_metric(tmp_path: Path) -> None:
    with History(tmp_path / "history.jsonl") as history:
        for step in (1, 2):
            history.log(step, {"fit_2d/mean_error": 1.0 / step, "fit_2d/bias": 0.0})
    found = curves({"fit_2d": tmp_path / "history.jsonl", "fit_2d_2": tmp_path / "history.jsonl"})
    titles = ["fit_2d: mean error", "fit_2d: bias", "fit_2d_2: mean error", "fit_2d_2: bias"]
    assert [curve.title for curve in found] == titles
    assert [(list(line.x), list(line.y)) for line in found[0].series] == [([1, 2], [1.0, 0.5])]
    assert curves({"sizes": written(tmp_path / "once", {1: 3.0}, "sizes/vision")}) == []
    assert curves({"evaluate": written(tmp_path / "told", {0: 3.0, 1: 4.0}, "evaluate/reality_mean")}) == []
