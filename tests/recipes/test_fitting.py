"""V and C are made to fit an environment, once, by the recipe."""

from typing import Any

import pytest

from wmframe.engine.config.component import Component
from wmframe.engine.errors import UserError
from wmframe.recipes.fitting import acting, seeing


def part(target: str, **arguments: Any) -> Component:
    return Component(target, arguments)


LINEAR = part("wmframe.controller.linear.Linear", senses="zh")


@pytest.mark.parametrize("env", [part("mine.Env"), part("mine.Env", actions="box", frame_shape=[64, 64, 3])])
@pytest.mark.parametrize("vision", [part("mine.V"), part("wmframe.vision.conv_vae.ConvVAE", frame_shape=(64, 64, 3))])
def test_where_all_is_usual_nothing_changes(env: Component, vision: Component) -> None:
    assert seeing(vision, env) is vision
    assert acting(LINEAR, env) is LINEAR


def test_v_is_told_the_shape_and_c_put_into_one_that_chooses() -> None:
    env = part("mine.Env", actions="discrete", frame_shape=(84, 80, 1))
    vision = part("mine.V", frame_shape=[64, 64, 3], width=4)
    assert seeing(vision, env).arguments == {"frame_shape": [84, 80, 1], "width": 4}
    assert seeing(part("mine.V", frame_shape=[84, 80, 1]), env).arguments == {"frame_shape": [84, 80, 1]}
    chooses = acting(LINEAR, env)
    assert chooses.target.endswith(".Choosing")
    assert chooses.arguments == {"of": LINEAR}


@pytest.mark.parametrize(
    ("vision", "says"),
    [
        (part("mine.V"), r"mine\.V sees frames of the shape \(64, 64, 3\), .* of \(84, 80, 1\)\. .*vision=conv_vae"),
        (part("mine.V", frame_shape=[32, 32, 3]), r"vision\.frame_shape=\[32, 32, 3\]: .*Leave the key out"),
    ],
)
def test_a_v_that_cannot_see_it_is_refused_with_what_would_do(vision: Component, says: str) -> None:
    with pytest.raises(UserError, match=says):
        seeing(vision, part("mine.Env", frame_shape=(84, 80, 1)))
