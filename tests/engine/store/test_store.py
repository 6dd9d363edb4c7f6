import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.store.producers import REQUEST, STEPS, produce
from wmframe.engine.durability.files import json_text, read_json, write_json
from wmframe.engine.errors import UserError
from wmframe.engine.store.artefact import MANIFEST, PLAIN
from wmframe.engine.store.store import Artefact, Request, Store

FILES = ("empty.txt", "facts.json", "shards/0.npy")


class Shop:
    """A store with its ledger, its notices and one artefact."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ledger = root / "ledger.txt"
        self.lines: list[str] = []
        self.artefact = self.obtain()

    def store(self) -> Store:
        return Store(self.root / "artefacts", notice=self.lines.append)

    def obtain(self) -> Artefact:
        return self.store().obtain(REQUEST, produce(self.ledger))

    def runs(self) -> int:
        return self.ledger.read_text().splitlines().count("run")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def make(stage: str, store: Store, config: dict[str, Any], parents: dict[str, str] | None = None) -> Artefact:
    def write(work: Path) -> None:
        write_json(work / "output" / "facts.json", config)

    return store.obtain(Request(stage=stage, code_version=1, config=config, parents=parents or {}), write)


def test_an_artefact_is_its_files_and_a_manifest(shop: Shop) -> None:
    artefact = shop.artefact
    assert artefact.path == shop.root / "artefacts" / "memory" / REQUEST.key
    manifest = read_json(artefact.path / MANIFEST)
    assert artefact.manifest == manifest
    assert (manifest["stage"], manifest["key"], manifest["code_version"]) == ("memory", REQUEST.key, 1)
    assert (manifest["config"], manifest["parents"], manifest["seeds"]) == ({"mixtures": 5}, {}, {"train": 3})
    assert tuple(manifest["files"]) == FILES
    assert manifest["wall_seconds"] >= 0
    assert artefact.file("shards/0.npy").read_bytes().startswith(b"\x93NUMPY")
    beside = {path.name for path in artefact.path.parent.iterdir()}
    assert beside == {REQUEST.key, f"{REQUEST.key}.lock"}


def test_the_second_time_nothing_runs(shop: Shop) -> None:
    assert shop.obtain() == shop.artefact
    assert shop.store().find("memory", REQUEST.key) == shop.artefact
    assert shop.runs() == 1
    assert shop.lines == []


def test_excluded_fields_do_not_enter_the_manifest(shop: Shop) -> None:
    config = {"steps": 1, "workers": 7, "paths": {"root": "/somewhere"}}
    assert make("vision", shop.store(), config).manifest["config"] == {"steps": 1}


def overwrite(content: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        path.write_bytes(content(path.read_bytes()))

    return damage


def to_link(path: Path) -> None:
    copy = path.parent.parent.parent / "elsewhere"
    shutil.copy(path, copy)
    path.unlink()
    path.symlink_to(copy)


def to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Callable[[Path], None]] = {
    "emptied": overwrite(lambda _: b""),
    "truncated": overwrite(lambda data: data[:-1]),
    "first bit flipped": overwrite(lambda data: bytes([data[0] ^ 1]) + data[1:]),
    "last bit flipped": overwrite(lambda data: data[:-1] + bytes([data[-1] ^ 0x80])),
    "longer": overwrite(lambda data: data + b" "),
    "deleted": Path.unlink,
    "a link to its own content": to_link,
    "a folder": to_folder,
}


@pytest.mark.parametrize("name", ["facts.json", "shards/0.npy", MANIFEST])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_found_named_and_redone(shop: Shop, name: str, damage: str) -> None:
    DAMAGES[damage](shop.artefact.path / name)
    status = shop.store().status("memory", REQUEST.key)
    assert status.state == "damaged"
    assert name in status.reason
    assert shop.store().why(REQUEST) == [status.reason]
    assert shop.store().find("memory", REQUEST.key) is None
    assert shop.artefact.path.is_dir()  # looking changes nothing
    assert shop.runs() == 1
    shop.lines.clear()
    again = shop.obtain()
    assert again.manifest["files"] == shop.artefact.manifest["files"]
    assert shop.runs() == 2
    assert len(shop.lines) == 1
    assert name in shop.lines[0]
    assert f"{REQUEST.key}.damaged-1" in shop.lines[0]
    assert (shop.artefact.path.parent / f"{REQUEST.key}.damaged-1").is_dir()


def test_every_single_bit_of_every_file_counts(shop: Shop) -> None:
    for name in (*FILES, MANIFEST):
        path = shop.artefact.path / name
        whole = path.read_bytes()
        for place in range(0, len(whole) * 8, 7):
            flipped = bytearray(whole)
            flipped[place // 8] ^= 1 << place % 8
            path.write_bytes(flipped)
            assert shop.store().status("memory", REQUEST.key).state == "damaged", (name, place)
        path.write_bytes(whole)
    assert shop.store().status("memory", REQUEST.key).state == "cached"


def test_a_store_that_checked_once_sees_a_later_change(shop: Shop) -> None:
    store = shop.store()
    assert store.find("memory", REQUEST.key) is not None
    path = shop.artefact.path / "facts.json"
    path.write_bytes(path.read_bytes().replace(b"4", b"5"))
    assert store.find("memory", REQUEST.key) is None


def test_without_verification_contents_are_not_read(shop: Shop) -> None:
    path = shop.artefact.path / "facts.json"
    path.write_bytes(path.read_bytes().replace(b"4", b"5"))
    assert shop.store().status("memory", REQUEST.key, verify=False).state == "cached"
    path.write_bytes(b"")
    assert shop.store().status("memory", REQUEST.key, verify=False).state == "damaged"


def test_another_artefact_in_its_place_is_found(shop: Shop) -> None:
    other = make("memory", shop.store(), {"mixtures": 1})
    shutil.rmtree(shop.artefact.path)
    shutil.copytree(other.path, shop.artefact.path)
    assert "is that of memory" in shop.store().status("memory", REQUEST.key).reason


@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_folder_replaced_is_found_and_redone(shop: Shop, kind: str) -> None:
    moved = shop.root / "moved"
    shop.artefact.path.rename(moved)
    if kind == "link":
        shop.artefact.path.symlink_to(moved)
    else:
        shop.artefact.path.write_text("")
    assert shop.store().status("memory", REQUEST.key).state == "damaged"
    assert shop.obtain().manifest["files"] == shop.artefact.manifest["files"]
    assert not shop.artefact.path.is_symlink()
    assert moved.is_dir()


def test_a_link_inside_an_artefact_is_found(shop: Shop) -> None:
    shards = shop.artefact.path / "shards"
    shards.rename(shop.root / "moved")
    shards.symlink_to(shop.root / "moved")
    assert shop.store().status("memory", REQUEST.key).state == "damaged"


@pytest.mark.parametrize("name", ["../ledger.txt", "/etc/passwd", "shards", "shards/../facts.json", MANIFEST, ""])
def test_a_file_leads_nowhere_else(shop: Shop, name: str) -> None:
    with pytest.raises(UserError, match="holds no file"):
        shop.artefact.file(name)


def test_a_manifest_that_points_outside_is_refused(shop: Shop) -> None:
    from wmframe.engine.store.artefact import _checksum

    outside = shop.root / "secret.txt"
    outside.write_text("")
    manifest = {name: value for name, value in shop.artefact.manifest.items() if name != "checksum"}
    empty = manifest["files"]["empty.txt"]
    for name in (f"../../../{outside.name}", str(outside), "a\x00.txt", "x.pkl", ".hidden.txt", "a//b.txt"):
        manifest["files"] = {name: empty}
        signed = {**manifest, "checksum": _checksum(manifest)}
        (shop.artefact.path / MANIFEST).write_text(json_text(signed))
        assert shop.store().status("memory", REQUEST.key).state == "damaged", name


@pytest.mark.parametrize(("stage", "key"), [("..", "0" * 16), ("memory", "../x"), ("memory", ""), ("a/b", "0" * 16)])
def test_stages_and_keys_lead_nowhere_else(shop: Shop, stage: str, key: str) -> None:
    for ask in (shop.store().find, shop.store().status):
        with pytest.raises(UserError, match="not a stage and a key"):
            ask(stage, key)


@pytest.mark.parametrize(
    "name", ["weights.pkl", "model.pt", "run.sh", "noext", "data.npz", "x.py", MANIFEST, "a b.npy"]
)
def test_outputs_are_plain_data(tmp_path: Path, name: str) -> None:
    def write(work: Path) -> None:
        (work / "output" / name).write_text("{}")

    store = Store(tmp_path)
    with pytest.raises(ValueError, match=r"plain data|wrote nothing"):
        store.obtain(REQUEST, write)
    assert store.status("memory", REQUEST.key).state in ("partial", "missing")
    assert ".pkl" not in PLAIN


def test_an_output_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside.json").write_text("{}")

    def write(work: Path) -> None:
        (work / "output" / "a.json").symlink_to(tmp_path / "outside.json")

    with pytest.raises(ValueError, match="is a link"):
        Store(tmp_path / "artefacts").obtain(REQUEST, write)


def test_an_empty_output_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="wrote nothing"):
        Store(tmp_path).obtain(REQUEST, lambda _work: None)


def test_what_a_producer_raises_goes_through_and_its_work_stays(tmp_path: Path) -> None:
    def fail(work: Path) -> None:
        write_json(work / "resume" / "state.json", {"done": STEPS - 1})
        raise KeyboardInterrupt

    store = Store(tmp_path / "artefacts")
    assert store.status("memory", REQUEST.key).state == "missing"
    with pytest.raises(KeyboardInterrupt):
        store.obtain(REQUEST, fail)
    assert store.status("memory", REQUEST.key).state == "partial"
    assert store.why(REQUEST) == ["was interrupted, will continue"]
    store.obtain(REQUEST, produce(tmp_path / "ledger.txt"))
    assert (tmp_path / "ledger.txt").read_text().splitlines() == ["run", f"step {STEPS - 1}"]
    assert store.status("memory", REQUEST.key).state == "cached"
    assert store.why(REQUEST) == []


def test_what_somebody_else_published_stands(shop: Shop) -> None:
    theirs = shop.root / "theirs"
    shop.artefact.path.rename(theirs)
    created = theirs.stat().st_ino

    def publish_meanwhile(work: Path) -> None:
        produce(shop.ledger)(work)
        theirs.rename(shop.artefact.path)

    found = shop.store().obtain(REQUEST, publish_meanwhile)
    assert found == shop.artefact
    assert found.path.stat().st_ino == created
    assert not found.path.with_suffix(".work").exists()


def test_damage_that_somebody_else_published_does_not_stand(shop: Shop) -> None:
    theirs = shop.root / "theirs"
    shop.artefact.path.rename(theirs)
    (theirs / "facts.json").write_text("")

    def publish_meanwhile(work: Path) -> None:
        produce(shop.ledger)(work)
        theirs.rename(shop.artefact.path)

    assert shop.store().obtain(REQUEST, publish_meanwhile).manifest["files"] == shop.artefact.manifest["files"]
    assert "facts.json" in shop.lines[0]


@pytest.mark.parametrize("role", ["vision", "vision.2", "of_another_name"])
def test_an_input_that_changes_while_the_stage_runs_stops_it(shop: Shop, role: str) -> None:
    store = shop.store()
    parent = make("vision", store, {"size": 1})
    request = Request(stage="latents", code_version=1, config={}, parents={role: parent.key})

    def write(work: Path) -> None:
        (parent.path / "facts.json").write_text("other")
        write_json(work / "output" / "a.json", 1)

    with pytest.raises(UserError, match=rf"input {role} .* was changed"):
        store.obtain(request, write)
    assert store.status("latents", request.key).state == "missing"


def test_why_names_what_differs_from_the_nearest_result(shop: Shop) -> None:
    store = shop.store()
    vision = make("vision", store, {"size": 32, "width": 1})
    make("vision", store, {"size": 64, "width": 2})
    make("latents", store, {}, {"vision": vision.key})

    def why(stage: str, config: dict[str, Any], version: int = 1, **parents: str) -> list[str]:
        return store.why(Request(stage=stage, code_version=version, config=config, parents=parents))

    assert why("vision", {"size": 32, "width": 1}) == []
    assert why("vision", {"size": 16, "width": 1}) == ["size: 32 → 16"]
    assert why("vision", {"size": 64, "width": 3}) == ["width: 2 → 3"]
    assert why("vision", {"size": 32, "width": 1}, 2) == ["code version: 1 → 2"]
    assert why("latents", {}, vision="f" * 16) == [f"from another vision: {vision.key[:4]}… → ffff…"]
    assert why("controller", {}) == ["never computed"]
    (vision.path / MANIFEST).write_text("{")
    near = store.nearest("vision", {"size": 32, "width": 1})
    assert near is not None
    assert near["config"] == {"size": 64, "width": 2}


def test_lineage_names_every_ancestor_once_and_in_order(shop: Shop) -> None:
    store = shop.store()
    collect = make("collect", store, {})
    later = make("collect", store, {"round": 2})
    vision = make("vision", store, {}, {"collect.1": collect.key, "collect.2": later.key})
    latents = make("latents", store, {}, {"data": collect.key, "vision": vision.key})
    memory = make("memory", store, {}, {"latents": latents.key})
    assert store.lineage(memory) == [collect, later, vision, latents, memory]
    shutil.rmtree(vision.path)
    with pytest.raises(UserError, match=f"computed from vision {vision.key}"):
        store.lineage(memory)
