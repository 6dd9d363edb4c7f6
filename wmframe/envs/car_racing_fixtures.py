"""The same fixtures for every car, instead of eight new ones an episode that are never freed.

Box2D's Python takes a shape away from its owner when it goes into a fixture definition and frees it never: 2.4 kB a
car, gigabytes in a search on the real track. A definition may be used again and again. Called by `FastTrack.reset`,
whose guard knows the Gymnasium that this was written for.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from Box2D.b2 import fixtureDef, polygonShape
from gymnasium.envs.box2d import car_dynamics

Corners = tuple[tuple[float, float], ...]


@contextmanager
def fixtures_made_once() -> Iterator[None]:
    """While this is open, Gymnasium's cars are made of fixtures that were made before."""
    names = vars(car_dynamics)
    before = {name: names[name] for name in ("polygonShape", "fixtureDef")}
    names.update(polygonShape=_corners, fixtureDef=_fixture)
    try:
        yield
    finally:
        names.update(before)


def _corners(vertices: Sequence[tuple[float, float]]) -> Corners:
    return tuple(vertices)


@cache
def _fixture(shape: Corners, **facts: float) -> Any:
    return fixtureDef(shape=polygonShape(vertices=list(shape)), **facts)
