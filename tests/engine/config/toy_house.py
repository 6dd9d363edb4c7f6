"""A house in miniature for config tests: components in their own module, YAML files with wmframe's groups."""

from dataclasses import dataclass
from pathlib import Path

MODULE = "toyhouse"
EXPERIMENT = "toyhouse.parts.Experiment"

PARTS = '''
"""Components whose import must never happen while a config is read."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from toyhouse.base import SIZE, Vision, Weight

@dataclass(frozen=True, kw_only=True)
class Env:
    id: str = "Toy-v0"
    action_repeat: PositiveInt = 1
    noise: Sequence[NonNegativeFloat] = ()
    size: tuple[int, int] = (64, 64)


class Policy(ABC):
    @abstractmethod
    def act(self) -> int: ...


class Brownian(Policy):
    def __init__(self, *, episodes: NonNegativeInt, spread: PositiveFloat = 0.1) -> None:
        self.episodes, self.spread = episodes, spread

    def act(self) -> int:
        return 0


@dataclass(frozen=True, kw_only=True)
class Collect:
    policies: Mapping[str, Policy]
    spare: list[Policy] = field(default_factory=list)
    last: Policy | None = None


class Vae(Vision):
    def __init__(
        self, *, latent_size: Annotated[int, Gt(0)] = SIZE, width: PositiveFloat = 1, kl_floor: Weight = 0.5
    ) -> None:
        if latent_size == 13:
            raise ValueError("latent_size and kl_floor don't go together")
        self.latent_size, self.width, self.kl_floor = latent_size, width, kl_floor


def small_vae(*, latent_size: PositiveInt = 4) -> Vae:
    return Vae(latent_size=latent_size)


@dataclass(frozen=True, kw_only=True)
class Memory:
    latent_size: PositiveInt
    hidden_size: PositiveInt = 256
    mixtures: PositiveInt = 5
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.0
    learning_rate: PositiveFloat = 1e-3


@dataclass(frozen=True, kw_only=True)
class Controller:
    latent_size: PositiveInt
    senses: Literal["z", "zh", "zhc"] = "zh"
    bias: bool = True


@dataclass(frozen=True, kw_only=True)
class World:
    temperature: PositiveFloat = 1.0
    horizon: PositiveInt | None = None


@dataclass(frozen=True, kw_only=True)
class Search:
    population: Annotated[int, Ge(2)] = 16
    sigma: PositiveFloat = 0.1


@dataclass(frozen=True, kw_only=True)
class Trainer:
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    options: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Tracker:
    project: str = "wmframe"


@dataclass(frozen=True, kw_only=True)
class Paths:
    root: str = "."


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    episodes: PositiveInt = 100
    first_seed: NonNegativeInt = 0


@dataclass(frozen=True, kw_only=True)
class Experiment:
    name: str
    seed: Annotated[int, Ge(0), Le(2**32 - 1)]
    rounds: PositiveInt
    paths: Paths
    env: Env
    collect: Collect
    vision: Vision
    memory: Memory
    controller: Controller
    world: World
    search: Search
    trainer: Trainer
    tracker: Tracker
    evaluate: Evaluate
'''

BASE = """
from abc import ABC
from typing import Annotated

from annotated_types import Interval

SIZE = 32
Weight = Annotated[float, Interval(ge=0, le=10)]


class Vision(ABC):
    latent_size: int
"""

CONF = {
    "config": """
        defaults:
          - env: toy
          - collect: brownian
          - vision: vae
          - memory: mdn_rnn
          - controller: linear
          - world: dream
          - search: cma
          - trainer: lightning
          - tracker: none
          - _self_
          - preset: quick
          - experiment: null
        name: toy
        seed: 0
        rounds: 1
        paths: {_target_: toyhouse.parts.Paths, root: .}
        evaluate: {_target_: toyhouse.parts.Evaluate, episodes: 100}
        """,
    "env/toy": "_target_: toyhouse.parts.Env\nid: Toy-v0\n",
    "env/car_racing": "_target_: toyhouse.parts.Env\nid: CarRacing-v3\n",
    "collect/brownian": "_target_: toyhouse.parts.Collect\n"
    "policies: {brownian: {_target_: toyhouse.parts.Brownian, episodes: 3}}\n",
    "vision/vae": "_target_: toyhouse.parts.Vae\nlatent_size: 32\n",
    "vision/small": "_target_: toyhouse.parts.small_vae\nlatent_size: 4\n",
    "memory/mdn_rnn": "_target_: toyhouse.parts.Memory\nlatent_size: ${vision.latent_size}\nmixtures: 5\n",
    "controller/linear": "_target_: toyhouse.parts.Controller\nlatent_size: ${vision.latent_size}\n",
    "world/dream": "_target_: toyhouse.parts.World\ntemperature: 1\n",
    "search/cma": "_target_: toyhouse.parts.Search\n",
    "trainer/lightning": "_target_: toyhouse.parts.Trainer\n",
    "tracker/none": "_target_: toyhouse.parts.Tracker\n",
    "preset/quick": "# @package _global_\nsearch: {population: 4}\n",
    "preset/smoke": "# @package _global_\nsearch: {population: 2}\n",
    "experiment/car_racing": "# @package _global_\ndefaults:\n  - override /env: car_racing\nname: car\n",
}


@dataclass(frozen=True)
class House:
    """Where the miniature stands: `root` holds the module, `conf` the YAML files."""

    root: Path
    conf: Path

    def yaml(self, name: str, text: str | bytes) -> Path:
        """Write one more YAML file, in a folder of the user's, which is returned."""
        path = self.root / "mine" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self.root / "mine"


def write_house(root: Path) -> House:
    """Write module and YAML files below `root`."""
    package = root / "toyhouse"
    package.mkdir()
    (package / "__init__.py").write_text("from toyhouse.parts import Vae\nfrom pathlib import Path\n")
    (package / "parts.py").write_text(PARTS)
    (package / "base.py").write_text(BASE)
    for name, text in CONF.items():
        path = root / "conf" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = text.strip("\n").splitlines()
        margin = len(lines[0]) - len(lines[0].lstrip())
        path.write_text("\n".join(line[margin:] for line in lines) + "\n")
    return House(root, root / "conf")
