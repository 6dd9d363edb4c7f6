"""Payloads that would have code run: pickles, targets, environments' ids, YAML, and folders of configs."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import yaml

from tests.torture.hostile_project import CANARY, MODULE, PICKLE, Bomb, Project, each, payload

# Pickles in the place of every file of plain data


def torch_zip() -> bytes:
    """What torch.save writes, with a bomb for its pickle."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", PICKLE)
        archive.writestr("archive/version", "3")
    return buffer.getvalue()


def object_array() -> bytes:
    """A .npy of objects: numpy pickles them."""
    buffer = io.BytesIO()
    np.save(buffer, np.array([Bomb()], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def object_archive() -> bytes:
    """A .npz of objects, which np.load knows by its first bytes, whatever it is called."""
    buffer = io.BytesIO()
    np.savez(buffer, starts=np.array([Bomb()], dtype=object))
    return buffer.getvalue()


PICKLES = {"a pickle": lambda: PICKLE, "torch": torch_zip, "object npy": object_array, "object npz": object_archive}
FILES = {
    "vision": "weights.safetensors",
    "memory": "weights.safetensors",
    "controller": "weights.safetensors",
    "latents": "mu.npy",
    "collect": "held-0000.h5",
}


def _in_place(project: Project, where: tuple[str, str, Callable[[], bytes]]) -> None:
    stage, name, made = where
    (project.artefact(stage) / name).write_bytes(made())
    project.seal(stage)


each(
    "pickle",
    {
        f"{kind} as {stage}/{name}": (stage, name, made)
        for stage, name in FILES.items()
        for kind, made in PICKLES.items()
    },
    _in_place,
)


@payload("pickle: files that Lightning, Hydra and Nevergrad would look for")
def _(project: Project) -> None:
    for name in ("last.ckpt", "config.pickle", "optimizer.pkl", "hparams.yaml", ".hydra/config.pickle"):
        (project.run / name).parent.mkdir(exist_ok=True)
        (project.run / name).write_bytes(PICKLE)
    (project.artefact("controller") / "starts.safetensors").write_bytes(PICKLE)
    project.seal("controller")


# Targets

_MAIN = {"_target_": "wmframe.cli.main.main", "argv": ["run"], "package": MODULE}
_COMPONENT = {"_target_": "wmframe.engine.config.component.Component", "target": f"{MODULE}.Payload", "arguments": {}}
TARGETS: dict[str, Any] = {
    name: {"_target_": name}
    for name in (
        *("os.system", "posix.system", "subprocess.Popen", "builtins.eval", "builtins.exec", "pdb.Pdb", "cProfile.run"),
        *("operator.methodcaller", "functools.partial", "torch.hub.load", "torch.load", "numpy.load", "ctypes.CDLL"),
        *("importlib.import_module", "pickle.loads", "runpy.run_path", "code.interact", "timeit.timeit", "hydra.main"),
        *(f"{MODULE}.Payload", f"{MODULE}.run.execute", f"..{MODULE}.Payload", f"wmframe.{MODULE}.Payload"),
        *("wmframe.cli.main.os.system", "wmframe.cli.main.importlib.import_module", "wmframe.cli.run.execute"),
        *("wmframe.__main__.main", "wmframe", "", "wmframe.", "__main__.Witness", "wmframe.cli.doctor.execute"),
    )
} | {
    "main": _MAIN,
    "main by its caller": {**_MAIN, "_target_": "wmframe.__main__.main"},
    "load_command": {"_target_": "wmframe.cli.main.load_command", "name": "run", "package": MODULE},
    "import": {
        "_target_": "wmframe.engine.config.build.import_target",
        "target": f"{MODULE}.Payload",
        "path": "",
        "allowed": [MODULE],
    },
    "build": {"_target_": "wmframe.engine.config.build.build", "component": _COMPONENT, "allowed": [MODULE]},
    "build_as": {"_target_": "wmframe.engine.config.building.build_as", "component": _COMPONENT, "allowed": [MODULE]},
    "no text": {"_target_": ["os.system"]},
    "nested": {"_target_": "wmframe.vision.none.NoVision", "latent_size": {"_target_": "os.system", "command": "x"}},
    "a list": [1, 2],
}


def _component(project: Project, plain: Any) -> None:
    project.skip |= {"status", "plan", "report --sweep"}
    project.component("vision", plain)


def _component_of(project: Project, where: tuple[str, Any]) -> None:
    project.skip |= {"status", "plan", "report --sweep"}
    project.component(*where)


def _part(project: Project, where: tuple[str, Any]) -> None:
    name, plain = where
    config = yaml.safe_load((project.run / "config.yaml").read_text())
    config[name] = plain
    (project.run / "config.yaml").write_text(yaml.safe_dump(config))


each("target of a component", TARGETS, _component)
each("target of another stage's", {stage: (stage, _MAIN) for stage in ("memory", "controller")}, _component_of)


def _searched(project: Project, plain: Any) -> None:
    """The page builds the worlds and searches of a run's graph."""
    project.graph(config={"world": plain, "search": plain})


_FEW = ("main", "os.system", "build", f"{MODULE}.Payload", "a list", "wmframe.__main__.main")
each(
    "target in a config",
    {f"{part} {name}": (part, TARGETS[name]) for part in ("env", "world", "trainer", "tracker") for name in _FEW},
    _part,
)
each("target in a graph", {name: TARGETS[name] for name in _FEW}, _searched)


def _whole(project: Project, plain: Any) -> None:
    (project.run / "config.yaml").write_text(yaml.safe_dump(plain))


each("target of a config", {name: TARGETS[name] for name in ("main", "os.system")}, _whole)

PIXELS = {"_target_": "wmframe.envs.gymnasium_pixels.GymnasiumPixels", "action_size": 3}
each(
    "environment",
    {
        "module": {**PIXELS, "id": f"{MODULE}:Env-v0"},
        "its own register": {**PIXELS, "id": "wmframe.register:wmframe/Dream-v0"},
        "a dream of a dream": {**PIXELS, "id": "wmframe/Dream-v0", "kwargs": {"run": "latest", "allowed": MODULE}},
        "shimmy": {**PIXELS, "id": "GymV21Environment-v0", "kwargs": {"env_id": f"{MODULE}:Env-v0"}},
        "kwargs": {
            **PIXELS,
            "id": "CartPole-v1",
            "kwargs": {"entry_point": f"{MODULE}:Env", "max_episode_steps": 1},
        },
    },
    lambda project, plain: _part(project, ("env", plain)),
)


# YAML

BOMB_OF_ALIASES = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(9)
)
YAMLS = {
    "python object": f"a: !!python/object/apply:os.system [touch {CANARY}]\n",
    "python name": "a: !!python/name:os.system\n",
    "python module": f"a: !!python/module:{MODULE}\n",
    "python new": f"!!python/object/new:{MODULE}.Payload []\n",
    "a bomb of aliases": BOMB_OF_ALIASES,
    "an alias to itself": "a: &a [*a]\n",
    "nested deeply": "a: " + "[" * 20_000 + "]" * 20_000 + "\n",
    "a thirteenth month": "a: 2001-13-40\n",
    "no text": "\x00\xff",
    "many": "a: 1\n---\nb: 2\n",
    "empty": "",
    "a huge number": f"seed: {'9' * 5000}\n",
    "keys of all kinds": "1: 2\n? [a]\n: b\nnull: c\n",
}


def _yaml(project: Project, text: str) -> None:
    (project.run / "config.yaml").write_bytes(text.encode("latin-1", "replace"))
    (project.conf / "vision").mkdir(parents=True)
    (project.conf / "vision" / "hostile.yaml").write_bytes(text.encode("latin-1", "replace"))


each("yaml", YAMLS, _yaml)
NONE = "_target_: wmframe.vision.none.NoVision\nlatent_size: "
CONFS = {
    "a target": {"vision/hostile.yaml": "_target_: os.system\ncommand: x\n"},
    "main": {"vision/hostile.yaml": f"_target_: wmframe.cli.main.main\nargv: [run]\npackage: {MODULE}\n"},
    "a nested target": {"vision/hostile.yaml": f"{NONE}\n  _target_: os.system\n  command: x\n"},
    "a secret": {"vision/hostile.yaml": f"{NONE}${{oc.env:WITNESS_SECRET}}\n"},
    "a secret among the defaults": {"vision/hostile.yaml": f"defaults:\n  - ${{oc.env:WITNESS_SECRET}}\n{NONE}3\n"},
    "a decoded secret": {"vision/hostile.yaml": f"{NONE}${{oc.decode:${{oc.env:WITNESS_SECRET}}}}\n"},
    "a created target": {"vision/hostile.yaml": f"{NONE}${{oc.create:{{_target_: os.system}}}}\n"},
    "a search path": {"vision/hostile.yaml": f"hydra:\n  searchpath: [pkg://{MODULE}]\n{NONE}3\n"},
    "a global search path": {
        "vision/hostile.yaml": f"# @package _global_\nhydra:\n  searchpath: [pkg://{MODULE}]\nseed: 1\n"
    },
    "a path that leads out": {"vision/hostile.yaml": f"defaults:\n  - ../../../outside/secret\n{NONE}3\n"},
    "a launcher that is none": {"hydra/launcher/hostile.yaml": "_target_: os.system\ncommand: x\n"},
    "a launcher with a target inside": {
        "hydra/launcher/hostile.yaml": "_target_: hydra._internal.core_plugins.basic_launcher.BasicLauncher\n"
        f"x:\n  _target_: {MODULE}.Payload\n"
    },
    "a launcher of the file's own": {"hydra/launcher/hostile.yaml": f"_target_: hydra_plugins.{MODULE}.Launcher\n"},
    "a launcher changed from afar": {
        "vision/hostile.yaml": f"# @package _global_\nhydra:\n  launcher:\n    x:\n      _target_: {MODULE}.Payload\n"
    },
}


def _conf(project: Project, files: dict[str, str]) -> None:
    project.skip |= {"evaluate", "report", "report --sweep", "watch", "watch a dream", "register", "dashboard"}
    for name, text in files.items():
        project.write(f"conf/{name}", text)


each("a folder of configs", CONFS, _conf)
