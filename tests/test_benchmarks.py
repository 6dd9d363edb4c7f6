"""What a comparison keeps, that the products are the model's own, and that the table's file is what it should be."""

import json
from pathlib import Path

import pytest
import torch

from benchmarks import __main__ as bench
from benchmarks.dreams import STEPS, products
from benchmarks.measure import Effort, Row, compare
from benchmarks.parts import ACTION, HIDDEN, LATENT, MIXTURES, ROLLOUTS, memory
from benchmarks.scaling import work

SHORT = Effort(turns=5, seconds=0.0)


def test_a_rows_ratio_is_the_middle_of_its_turns_and_its_spread_their_range() -> None:
    row = Row(name="n", ours=4, other=2, unit="u", against="it", ratios=(1.0, 9.0, 2.0, 3.0, 2.5))
    assert row.ratio == 2.5
    assert row.spread == (1.0, 9.0)
    assert row.plain()["spread"] == [1.0, 9.0]


def test_the_two_sides_take_turns_and_change_who_begins() -> None:
    said: list[str] = []

    def side(name: str) -> float:
        said.append(name)
        return 1.0

    row = compare("n", lambda: side("a"), lambda: side("b"), unit="u", against="b", effort=SHORT)
    assert said == ["b", "a", "a", "b"] * 3
    assert len(row.ratios) == 5


def test_the_roofline_multiplies_what_the_dreams_step_multiplies() -> None:
    of = memory()
    weights = sum(weight.numel() for weight in (*of.lstm.all_weights[0][:3], of.mixture.weight, of.reward.weight))
    weights += of.done.weight.numel() + ACTION * (LATENT + HIDDEN)
    assert work(LATENT, MIXTURES) == 2.0 * weights
    assert products(4)() == STEPS * 4 * ROLLOUTS
    assert torch.get_num_threads() >= 1


@pytest.mark.slow
def test_the_file_holds_every_row_with_its_ratio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "QUICK", SHORT)
    bench.main(["--quick", "--only", "dreams", "--output", str(tmp_path / "bench.json")])
    rows = {row["name"]: row for row in json.loads((tmp_path / "bench.json").read_text())["rows"]}
    assert rows.keys() == {"dream_roofline", "dream_per_sample"}
    for row in rows.values():
        assert {"name", "ours", "other", "ratio", "spread"} <= row.keys()
        assert row["spread"][0] <= row["ratio"] <= row["spread"][1]
        assert row["turns"] >= 5
