"""The guard lets the tested Gymnasium pass and stops any other."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from wmframe.engine.errors import UserError
from wmframe.envs.car_racing import CarRacing
from wmframe.envs.headless import headless

with headless():
    from gymnasium.envs.box2d import car_dynamics, car_racing

    from wmframe.envs import car_racing_guard
    from wmframe.envs.car_racing_camera import Camera
    from wmframe.envs.car_racing_guard import CHECKED_EVERY, CheckedTrack, checked_track
    from wmframe.envs.car_racing_track import Track


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    car_racing_guard.check_renderer.cache_clear()
    yield
    car_racing_guard.check_renderer.cache_clear()


def test_the_tested_version_passes() -> None:
    CarRacing().make()


def test_a_changed_drawing_method_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def _render_road(self: Any, zoom: float, translation: Any, angle: float) -> None:
        """Another way to draw a road."""

    monkeypatch.setattr(car_racing.CarRacing, "_render_road", _render_road)
    with pytest.raises(UserError, match=r"env\.renderer=reference"):
        CarRacing().make()
    CarRacing(renderer="reference").make()


def test_a_changed_constant_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(car_dynamics, "WHEEL_R", 28)
    with pytest.raises(UserError, match=r"env\.renderer=reference"):
        CarRacing().make()


def test_missing_sources_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_source(_: object) -> str:
        raise OSError("could not get source code")

    monkeypatch.setattr(inspect, "getsource", no_source)
    with pytest.raises(UserError, match=r"env\.renderer=reference"):
        CarRacing().make()


def test_a_differing_picture_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a processor or with a pygame that computes otherwise: here the camera is off by one pixel."""
    honest = Camera.look
    monkeypatch.setattr(Camera, "look", lambda self, points: honest(self, points) + 1.0)
    with pytest.raises(UserError, match="on this machine"):
        CarRacing().make()


def off_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Camera.look
    monkeypatch.setattr(Camera, "look", lambda self, points: honest(self, points) + 1.0)


def test_while_scores_are_taken_one_frame_in_fifty_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    track = checked_track()
    assert isinstance(track, CheckedTrack)
    track.reset(seed=1)
    track.draw()
    off_by_one(monkeypatch)
    for _ in range(CHECKED_EVERY - 1):
        track.draw()
    with pytest.raises(UserError, match=rf"Frame {CHECKED_EVERY} .*constraints\.txt"):
        track.draw()
    track.reset(seed=2)
    with pytest.raises(UserError, match="Frame 0 "):
        track.draw()


def test_where_the_fast_renderer_differs_scores_are_taken_on_gymnasiums_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    off_by_one(monkeypatch)
    track = checked_track()
    assert type(track) is Track
    track.reset(seed=1)
    assert CarRacing().reference().make().reset(seed=1)
