import sys
from pathlib import Path
from typing import Any

import pytest

from tests.engine.config.toy_house import EXPERIMENT, MODULE, House
from wmframe.engine.config.bind import Component, ConfigError, bind
from wmframe.engine.config.build import build
from wmframe.engine.config.compose import compose
from wmframe.engine.errors import UserError

ALLOWED = ("wmframe", MODULE)


def test_the_whole_tree_is_built(house: House) -> None:
    config = compose(["vision=small", "vision.latent_size=7"], conf=house.conf)
    component = bind(config, target=EXPERIMENT, allowed=ALLOWED)
    assert "toyhouse.parts" not in sys.modules
    experiment: Any = build(component, allowed=ALLOWED)
    assert type(experiment).__name__ == "Experiment"
    assert experiment.vision.latent_size == 7
    assert experiment.memory.latent_size == 7
    assert experiment.collect.policies["brownian"].episodes == 3
    assert experiment.env.size == (64, 64)


def test_what_a_constructor_refuses_is_told_with_its_key(house: House) -> None:
    config = compose(["vision.latent_size=13"], conf=house.conf)
    component = bind(config, target=EXPERIMENT, allowed=ALLOWED)
    with pytest.raises(ConfigError) as caught:
        build(component, allowed=ALLOWED)
    assert str(caught.value).startswith("vision: latent_size and kl_floor don't go together")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "target",
    ["os.system", "builtins.eval", "toyhouse.Path", "toyhouse.parts.dataclasses", "toyhouse.parts.nothing",
     "toyhouse.base.SIZE"],
)  # fmt: skip
def test_the_allow_list_is_checked_again(house: House, target: str) -> None:
    with pytest.raises(ConfigError, match="_target_"):
        build(Component(target, {}), allowed=ALLOWED, path="vision")


def test_a_module_beside_the_user_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p not in ("", str(tmp_path))])
    Path("besidehouse.py").write_text(
        "class Part:\n    def __init__(self, *, a: int = 1) -> None:\n        self.a = a\n"
    )
    component = bind({"_target_": "besidehouse.Part"}, allowed=("besidehouse",))
    part: Any = build(component, allowed=("besidehouse",))
    assert part.a == 1
    del sys.modules["besidehouse"]


def test_a_missing_package_is_named(house: House) -> None:
    (house.root / "toyhouse" / "needy.py").write_text(
        "import surely_not_installed\n\nclass Part:\n    def __init__(self) -> None: ...\n"
    )
    with pytest.raises(UserError, match="needs the package surely_not_installed"):
        build(bind({"_target_": "toyhouse.needy.Part"}, allowed=ALLOWED), allowed=ALLOWED)
