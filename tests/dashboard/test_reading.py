from pathlib import Path

import pytest

from wmframe.dashboard.reading import Cache, regular_file, stamp


def test_only_regular_files_below_the_folder_are_found(tmp_path: Path) -> None:
    base = tmp_path / "base"
    (base / "inner").mkdir(parents=True)
    (base / "inner" / "file").write_text("x")
    (tmp_path / "outside").write_text("x")
    (base / "link").symlink_to(base / "inner" / "file")
    (base / "way").symlink_to(base / "inner")
    (base / "loop").symlink_to(base / "loop")
    assert regular_file(base, "inner", "file") == base / "inner" / "file"
    for names in (["inner"], ["link"], ["way", "file"], ["loop"], ["..", "outside"], [str(tmp_path / "outside")]):
        assert regular_file(base, *names) is None
    for name in ("inner/../../outside", "", "nothing", "a\0b", "x" * 5000):
        assert regular_file(base, name) is None


def test_a_value_is_computed_again_only_when_its_file_changed(tmp_path: Path) -> None:
    file, cache, computed = tmp_path / "file", Cache[str](2), list[str]()

    def read() -> str:
        computed.append(file.read_text())
        return computed[-1]

    file.write_text("one")
    assert [cache.get("file", stamp(file), read) for _ in range(3)] == ["one"] * 3
    file.write_text("three")
    assert cache.get("file", stamp(file), read) == "three"
    assert computed == ["one", "three"]


def test_the_values_used_last_are_kept() -> None:
    cache = Cache[int](2)
    for name in ("a", "b", "a", "c"):
        cache.get(name, (), lambda: 1)
    assert cache.get("a", (), lambda: 2) == 1
    assert cache.get("b", (), lambda: 2) == 2


@pytest.mark.parametrize("change", ["touch", "remove"])
def test_a_stamp_tells_of_every_change(tmp_path: Path, change: str) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    before = stamp(file, tmp_path / "never")
    assert before[1] is None
    file.write_text("xy") if change == "touch" else file.unlink()
    assert stamp(file, tmp_path / "never") != before
