from pathlib import Path

from wmframe.report.outline import outline


def test_nested_values_are_indented_two_spaces_a_level() -> None:
    value = {
        "vision": {"latent_size": 32, "channels": [32, 64], "floor": 0.5},
        "parts": [{"a": 1, "b": None}, "x"],
        "deep": [[1, 2]],
        "none": {},
        "nothing": [],
    }
    assert outline(value).splitlines() == [
        "vision:",
        "  latent_size: 32",
        "  channels: [32, 64]",
        "  floor: 0.5",
        "parts:",
        "  -",
        "    a: 1",
        "    b: null",
        '  - "x"',
        "deep:",
        "  - [1, 2]",
        "none: {}",
        "nothing: []",
    ]


def test_text_cannot_break_its_line_and_unknown_values_are_their_str() -> None:
    assert outline({"a": "x\ny: 1"}) == 'a: "x\\ny: 1"'
    assert outline({"path": Path("runs/latest")}) == 'path: "runs/latest"'
    assert outline(7) == "7"
