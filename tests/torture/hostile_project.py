"""Projects made hostile: what somebody could put into a run, a model, data or a config before handing it on.

Every payload changes a copy of an honest finished project, and seals artefacts again as an attacker would: checksums
vouch for bytes, not for whoever wrote them. Whatever is run leaves the file CANARY, or imports MODULE.
"""

import hashlib
import json
import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.sweeps import TINY
from wmframe.engine.durability.files import json_text

CANARY = "canary_was_here"
MODULE = "hostile_payload"

XSS = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'{{7*7}}${7*7}"
ESCAPES = "\x1b]52;c;cm0gLXJm\x07\x1b[2J\x1b[31mred\u202egnp.exe"


@dataclass
class Project:
    """A project's folder. `skip` names commands that a payload has nothing to do with."""

    root: Path
    skip: set[str] = field(default_factory=set)

    @property
    def run(self) -> Path:
        """Its one run's folder."""
        [run] = [path for path in sorted((self.root / "runs").iterdir()) if not path.is_symlink()]
        return run

    @property
    def conf(self) -> Path:
        """A folder of YAML that the project asks its reader to use."""
        return self.root / "conf"

    @property
    def overrides(self) -> tuple[str, ...]:
        """What its README would tell one to type."""
        return (*TINY, "paths.root=.")

    def artefact(self, stage: str) -> Path:
        """A stage's one artefact."""
        [manifest] = (self.root / "artefacts" / stage).glob("*/manifest.json")
        return manifest.parent

    def seal(self, stage: str, **changes: Any) -> None:
        """Vouch for the files that lie there now."""
        folder = self.artefact(stage)
        manifest = json.loads((folder / "manifest.json").read_text())
        there = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "manifest.json"]
        manifest["files"] = {
            path.relative_to(folder).as_posix(): {
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "bytes": path.lstat().st_size,
            }
            for path in there
        }
        manifest |= changes
        manifest.pop("checksum", None)
        checksum = hashlib.sha256(json_text(manifest).encode()).hexdigest()
        (folder / "manifest.json").write_text(json_text({**manifest, "checksum": checksum}))

    def component(self, stage: str, plain: object) -> None:
        """Let an artefact say what it is made of."""
        (self.artefact(stage) / "component.json").write_text(json.dumps(plain))
        self.seal(stage)

    def config(self, **parts: Any) -> None:
        """Change the run's config.yaml, a part or a top-level value each."""
        file = self.run / "config.yaml"
        config = yaml.safe_load(file.read_text())
        for name, value in parts.items():
            config[name] = {**config[name], **value} if isinstance(config.get(name), dict) else value
        file.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True))

    def record(self, **fields: Any) -> None:
        """Change run.json."""
        file = self.run / "run.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **fields}))

    def graph(self, **fields: Any) -> None:
        """Change every stage of graph.json."""
        file = self.run / "graph.json"
        stages = json.loads(file.read_text())["stages"]
        file.write_text(json.dumps({"stages": [{**stage, **fields} for stage in stages]}))

    def write(self, name: str, text: str) -> Path:
        """Write a file below the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


class Bomb:
    """Runs when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {CANARY} ../{CANARY}",)


PICKLE = pickle.dumps(Bomb())

Payload = Callable[[Project], None]
PAYLOADS: dict[str, Payload] = {}


def payload(name: str) -> Callable[[Payload], Payload]:
    """Enter a payload into the list."""

    def enter(change: Payload) -> Payload:
        PAYLOADS[name] = change
        return change

    return enter


def each(prefix: str, values: dict[str, Any], change: Callable[[Project, Any], None]) -> None:
    """Enter one payload for every value."""
    for name, value in values.items():
        PAYLOADS[f"{prefix}: {name}"] = lambda project, value=value: change(project, value)  # type: ignore[misc]
