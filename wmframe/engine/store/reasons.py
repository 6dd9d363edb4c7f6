"""Why a stage will run: how its request differs from the nearest result there is.

Comes in: the manifests on disk and a request's config and parents. Goes out: the nearest manifest and lines
for a person. Called by the store for `wmframe plan`. Nothing here decides anything: whether a stage runs
depends on its key alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from wmframe.engine.config.closure import VERSION
from wmframe.engine.config.user_code import Module
from wmframe.engine.store.artefact import DamagedError, Request, read_manifest
from wmframe.engine.store.keys import CODE, difference


def manifests(folder: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the manifest of every artefact in a stage's `folder` whose manifest is whole; its files are not read."""
    for path in sorted(folder.glob("[0-9a-f]" * 16)):
        try:
            manifest = read_manifest(path)
            # A checksum says that nothing changed since, not that it was ever right.
            difference(manifest["config"], {})
            parent_lines(manifest["parents"], {})
            sum(int(facts["bytes"]) for facts in manifest["files"].values())
        except (DamagedError, OSError, KeyError, TypeError, ValueError, AttributeError):
            continue  # one that cannot be read explains nothing, and is judged when it is wanted
        yield manifest


def nearest(
    folder: Path, config: Mapping[str, Any], parents: Mapping[str, str] | None = None
) -> Mapping[str, Any] | None:
    """Return the manifest in `folder` that differs least from `config`, then from `parents`, the newest of equals;
    None without any.
    """
    return nearest_of(list(manifests(folder)), config, parents)


def nearest_of(
    found: Sequence[Mapping[str, Any]], config: Mapping[str, Any], parents: Mapping[str, str] | None = None
) -> Mapping[str, Any] | None:
    """Return the one of these manifests that `nearest` would."""

    def distance(manifest: Mapping[str, Any]) -> tuple[int, int]:
        lines = [] if parents is None else parent_lines(manifest["parents"], parents)
        return len(difference(manifest["config"], config)), len(lines)

    newest_first = sorted(found, key=lambda manifest: str(manifest["created"]), reverse=True)
    return min(newest_first, key=distance, default=None)


def changes(manifest: Mapping[str, Any], request: Request) -> list[str]:
    """Say what separates a recorded result from the request: own files, config fields, code version, parents."""
    (old, before), (new, now) = map(_parted, (manifest["config"], request.config))
    lines = _code_lines(before, now) + difference(old, new)
    if manifest["code_version"] != request.code_version:
        lines.append(f"code version: {manifest['code_version']} → {request.code_version}")
    return lines + parent_lines(manifest["parents"], request.parents)


def _parted(config: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return a config without the fingerprints of the user's own code, and those."""
    code = config.get(CODE)
    return {name: value for name, value in config.items() if name != CODE}, code if isinstance(code, Mapping) else {}


def _code_lines(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Say which files of the user's own are other ones: `my_models/vision.py changed`."""
    lines = []
    for file in sorted(old.keys() | new.keys()):
        before, now = old.get(file), new.get(file)
        if before is None or now is None:
            lines.append(f"{file} is imported {'no more' if now is None else 'now'}")
        elif before != now:
            stated = [str(side).removeprefix(VERSION).strip() for side in (before, now) if VERSION in str(side)]
            lines.append(f"{file} changed" + (f" ({VERSION} {' → '.join(stated)})" if len(stated) == 2 else ""))
    return lines


def edited(manifest: Mapping[str, Any], code: Iterable[Module]) -> str:
    """Return which of the user's own files changed since a result was made, as people list them; "" where none did."""
    _, before = _parted(manifest["config"])
    changed = {one.file for one in code if before.get(one.file, one.fingerprint) != one.fingerprint}
    return ", ".join(sorted(changed))


def parent_lines(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Say which parents are other ones, one line each: `from another vision: 3f2a… → 91bc…`."""
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return [f"from another {name}: {_short(old.get(name))} → {_short(new.get(name))}" for name in names]


def _short(key: str | None) -> str:
    return "(none)" if key is None else f"{key[:4]}…"
