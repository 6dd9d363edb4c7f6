"""The car of CarRacing's fast renderer: wheels, the white mark that shows them turning, hull.

In: Gymnasium's car. Out: its polygons on the canvas, as `Car.draw` puts them. Called by: `car_racing_fast`.
Shapes: V vertices of all polygons, N bodies (four wheels and the hull).
"""

import math
from typing import Any, NamedTuple

import numpy as np
import pygame
from gymnasium.envs.box2d.car_dynamics import SIZE, WHEEL_R, WHEEL_W, WHEEL_WHITE

from wmframe.envs.car_racing_camera import Camera


class Part(NamedTuple):
    """One polygon of the car: where its vertices are in the list of all, its colour, the wheel it marks."""

    start: int
    stop: int
    colour: list[int]
    turning: Any


class CarShape:
    """All vertices of one car, turned together in Box2D's float32."""

    def __init__(self, car: Any) -> None:
        self.bodies = car.drawlist
        self.parts: list[Part] = []
        vertices: list[tuple[float, float]] = []
        owners: list[int] = []
        mark = [(-WHEEL_W * SIZE, 0.0), (WHEEL_W * SIZE, 0.0), (WHEEL_W * SIZE, 0.0), (-WHEEL_W * SIZE, 0.0)]
        for owner, body in enumerate(self.bodies):
            colour = [int(c * 255) for c in body.color]
            shapes = [(list(fixture.shape.vertices), colour, None) for fixture in body.fixtures]
            if "phase" in body.__dict__:
                shapes.append((mark, list(WHEEL_WHITE), body))
            for shape, shade, turning in shapes:
                self.parts.append(Part(len(vertices), len(vertices) + len(shape), shade, turning))
                vertices += shape
                owners += [owner] * len(shape)
        self.vertices = np.array(vertices, np.float32)
        self.owners = np.array(owners)

    def draw(self, canvas: pygame.Surface, camera: Camera) -> None:
        """Draw the car where its bodies are now."""
        hidden = [part for part in self.parts if part.turning is not None and not self._turn(part)]
        poses = np.array([(*body.GetWorldVector((1, 0)), *body.position) for body in self.bodies], np.float32)
        cos, sin, x, y = poses[self.owners].T
        across, along = self.vertices.T
        world = np.stack([(cos * across - sin * along) + x, (sin * across + cos * along) + y], axis=-1)
        points = camera.look(world.astype(np.float64)).tolist()
        for part in self.parts:
            if part not in hidden:
                pygame.draw.polygon(canvas, part.colour, points[part.start : part.stop])

    def _turn(self, part: Part) -> bool:
        """Move a wheel's mark to where the wheel has turned it; False while it is underneath."""
        first, second = part.turning.phase, part.turning.phase + 1.2
        rise, fall = math.sin(first) > 0, math.sin(second) > 0
        if rise and fall:
            return False
        front = np.sign(math.cos(first)) if rise else math.cos(first)
        rear = np.sign(math.cos(second)) if fall else math.cos(second)
        top, bottom = WHEEL_R * front * SIZE, WHEEL_R * rear * SIZE
        self.vertices[part.start : part.stop, 1] = (top, top, bottom, bottom)
        return True
