"""Payloads that are data: HDF5, weights and arrays that lie, and plain files that are not what their readers expect."""

import json
import struct
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

from tests.torture.hostile_project import PICKLE, XSS, Project, each, payload

# HDF5


def _shard(project: Project, change: Callable[[h5py.File], None]) -> None:
    project.skip |= {"status", "plan", "report --sweep", "watch", "register"}
    for shard in project.artefact("collect").glob("*.h5"):
        with h5py.File(shard, "a") as file:
            change(file)
    project.seal("collect")


def _replace(group: h5py.Group, name: str, **made: Any) -> None:
    del group[name]
    group.create_dataset(name, **made)


def _first(file: h5py.File) -> h5py.Group:
    return file[sorted(file)[0]]


def _external(file: h5py.File) -> None:
    shape = _first(file)["frames"].shape
    _replace(
        _first(file),
        "frames",
        shape=shape,
        dtype="u1",
        external=[("../../../../outside/secret", 0, h5py.h5f.UNLIMITED)],
    )


def _linked(file: h5py.File) -> None:
    del _first(file)["frames"]
    _first(file)["frames"] = h5py.ExternalLink("../../../../outside/other.h5", "/frames")


def _soft(file: h5py.File) -> None:
    del _first(file)["actions"]
    _first(file)["actions"] = h5py.SoftLink("/")


def _virtual(file: h5py.File) -> None:
    shape = _first(file)["frames"].shape
    layout = h5py.VirtualLayout(shape=shape, dtype="u1")
    layout[:] = h5py.VirtualSource("../../../../outside/other.h5", "frames", shape=shape)
    del _first(file)["frames"]
    _first(file).create_virtual_dataset("frames", layout)


SHARDS: dict[str, Callable[[h5py.File], None]] = {
    "stored elsewhere": _external,
    "linked from elsewhere": _linked,
    "linked to itself": _soft,
    "a view of elsewhere": _virtual,
    "endless": lambda file: _replace(
        _first(file), "frames", shape=(2**40, 64, 64, 3), dtype="u1", chunks=(32, 64, 64, 3), compression="gzip"
    ),
    "objects": lambda file: _replace(_first(file), "rewards", data=[PICKLE.hex()], dtype=h5py.string_dtype()),
    "lzf": lambda file: _replace(_first(file), "rewards", data=np.zeros(3, "f4"), compression="lzf"),
    "info of bytes": lambda file: _first(file).attrs.__setitem__("info", np.void(PICKLE)),
    "info of markup": lambda file: _first(file).attrs.__setitem__("info", json.dumps({"shard": XSS})),
    "info with a million steps": lambda file: _first(file).attrs.__setitem__(
        "info", json.dumps({**json.loads(str(_first(file).attrs["info"])), "steps": 2**60})
    ),
    "no episode": lambda file: file.create_dataset("0000x", data=[1]) and None,
}
each("a shard", SHARDS, _shard)


# Weights


def safetensors(header: object, data: bytes = b"", *, length: int | None = None) -> bytes:
    """A file with this header, whatever it says."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def _entry(shape: list[Any], offsets: list[Any], kind: str = "F32") -> dict[str, Any]:
    return {"dtype": kind, "shape": shape, "data_offsets": offsets}


HEADERS: dict[str, bytes] = {
    "100,000 tensors": safetensors(
        {f"t{n:06}": _entry([1], [n * 4, n * 4 + 4]) for n in range(100_000)}, bytes(400_000)
    ),
    "a header of 2^63 bytes": safetensors({}, length=2**63),
    "a header of 99 MB": safetensors(b"{" + b" " * 99_000_000 + b"}"),
    "tensors that overlap": safetensors({"parameters": _entry([2], [0, 8]), "b": _entry([2], [4, 12])}, bytes(12)),
    "negative offsets": safetensors({"parameters": _entry([2], [-8, 0])}, bytes(8)),
    "a shape of 2^60": safetensors({"parameters": _entry([2**60], [0, 2**62])}),
    "a shape that overflows": safetensors({"parameters": _entry([2**32, 2**32], [0, 0])}),
    "a name twice": safetensors(b'{"a":%s,"a":%s}' % ((json.dumps(_entry([1], [0, 4])).encode(),) * 2), bytes(4)),
    "a type that lies": safetensors({"parameters": _entry([1], [0, 4], "F64")}, bytes(4)),
    "a type that is none": safetensors({"parameters": _entry([1], [0, 4], "OBJECT")}, bytes(4)),
    "shapes of text": safetensors({"parameters": _entry(["a"], [0, 4])}, bytes(4)),
    "no mapping": safetensors([1, 2, 3]),
    "nested deeply": safetensors(b"[" * 3000),
    "nothing": b"",
}  # fmt: skip


def _weights(project: Project, content: bytes) -> None:
    project.skip |= {
        "status",
        "status RUN",
        "plan",
        "plan --config-dir",
        "plan -m hydra",
        "report --sweep",
        "dashboard",
    }
    for stage in ("vision", "memory", "controller"):
        (project.artefact(stage) / "weights.safetensors").write_bytes(content)
        project.seal(stage)


def _sized(project: Project, plain: dict[str, Any]) -> None:
    stage = "memory" if "hidden_size" in plain else "vision"
    there = json.loads((project.artefact(stage) / "component.json").read_text())
    project.skip |= {"status", "plan", "report --sweep"}
    project.component(stage, {**there, **plain})


each("weights", HEADERS, _weights)
each(
    "sizes in a component",
    {
        "a latent of 2^40": {"latent_size": 2**40},
        "a latent of 2^62": {"latent_size": 2**62},
        "a state of 2^40": {"hidden_size": 2**40},
    },
    _sized,
)


# Plain data that is sealed, and yet is not what its reader expects

JSONS: dict[str, tuple[str, str, str]] = {
    f"{stage}/{name} {kind}": (stage, name, text)
    for stage, name in (
        *(("evaluate", "scores.json"), ("collect", "summary.json"), ("memory", "history.jsonl")),
        *(("controller", "component.json"), ("controller", "search.json")),
    )
    for kind, text in (("of markup", json.dumps(XSS) + "\n"), ("nested deeply", "[" * 100_000), ("a list", "[1]\n"))
}


def _sealed(project: Project, where: tuple[str, str, str]) -> None:
    stage, name, text = where
    (project.artefact(stage) / name).write_text(text)
    project.seal(stage)


each("sealed", JSONS, _sealed)


@payload("a history: numbers that are none, metrics of markup")
def _(project: Project) -> None:
    rows = [{"step": 1, "memory/nll": 1e400}, {"step": 2, XSS: 1.0}, {"step": -1, "memory/nll": 10**400}]
    (project.artefact("memory") / "history.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    project.seal("memory")


@payload("latents: lengths that lie")
def _(project: Project) -> None:
    header = b"{'descr': '<f2', 'fortran_order': False, 'shape': (1152921504606846976, 4), }"
    padded = header + b" " * (118 - len(header) - 1) + b"\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded
    (project.artefact("latents") / "mu.npy").write_bytes(content)
    np.save(project.artefact("latents") / "starts.npy", np.array([0, -5, 2**60]))
    project.seal("latents")
