"""A user's own modules (`--allow`), executed from the very bytes that the keys of their results were made of.

Left to itself, Python reads a module's file when it is first imported, hours after its key was made perhaps, once more
in every worker process, and from a stale `.pyc` where an edit kept its size and second. In: modules as they were read.
Out: imports that execute those, in this process and its workers, whatever becomes of the files meanwhile. Called by
whatever builds a component, and by what starts processes.
"""

import linecache
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Never

from wmframe.engine.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Module:
    """A module as it was read: its dotted name, its file, the file's bytes, and what stands for them in keys."""

    name: str
    path: Path
    text: bytes = field(repr=False)
    fingerprint: str

    @property
    def package(self) -> bool:
        """Whether it is a package's `__init__`."""
        return self.path.name == "__init__.py"

    @property
    def file(self) -> str:
        """The file by the module's name, wherever it lies: `my_models/vision.py`. This is what stands in keys."""
        return self.name.replace(".", "/") + ("/__init__.py" if self.package else ".py")


_held: dict[str, Module] = {}


def hold(modules: Iterable[Module]) -> None:
    """Have these modules executed as they were read, whenever they are imported.

    Raises UserError for one that this process has imported in another version, or nobody knows in which.
    """
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    for module in modules:
        executed = _executed(module.name)
        if module.name in sys.modules and (executed is None or executed.fingerprint != module.fingerprint):
            how = "edited since" if executed is not None else "read for the result's key after"
            raise UserError(
                f"{module.path} was {how} this process imported it, so what it computes could be another version's. "
                "Run the same command again, in a process of its own.",
                exit_code=1,
            )
        _held[module.name] = module


def _executed(name: str) -> Module | None:
    """Return an imported module as it was executed, None where that was without us."""
    spec = getattr(sys.modules.get(name), "__spec__", None)
    loader = getattr(spec, "loader", None)
    return loader.module if isinstance(loader, _Loader) else None


def held(name: str) -> Module | None:
    """Return a module as it is held, if it is."""
    return _held.get(name)


def release() -> None:
    """Hold nothing any more: a new command means the files as they are now."""
    _held.clear()


class Held:
    """All that is held, to be sent to another process ahead of what needs it: there, unpickling it holds it."""

    def __init__(self) -> None:
        self.modules = tuple(_held.values())

    def __reduce__(self) -> tuple[object, ...]:
        return _held_here, (self.modules,)


def _held_here(modules: Sequence[Module]) -> Held:
    hold(modules)
    return Held()


class _Finder(MetaPathFinder):
    """Finds what is held, before Python looks for a file."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        module = _held.get(fullname)
        if module is None:
            return None
        folders = [str(module.path.parent)] if module.package else None
        return spec_from_file_location(
            fullname, module.path, loader=_Loader(module), submodule_search_locations=folders
        )


class _Loader(SourceFileLoader):
    """Executes a module as it is held, and neither reads nor writes a `.pyc`."""

    def __init__(self, module: Module) -> None:
        super().__init__(module.name, str(module.path))
        self.module = module

    def get_data(self, path: str) -> bytes:
        return self.module.text if path == self.path else super().get_data(path)

    def path_stats(self, path: str) -> Never:
        raise OSError("no .pyc is this module's as it is held")

    def exec_module(self, module: ModuleType) -> None:
        # TorchScript compiles what `inspect.getsource` says, which would otherwise read the file as it is by then.
        lines = (self.get_source(self.name) or "").splitlines(keepends=True)
        linecache.cache[self.path] = (len(self.module.text), None, lines, self.path)
        super().exec_module(module)


_FINDER = _Finder()
