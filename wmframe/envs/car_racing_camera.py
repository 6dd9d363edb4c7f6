"""The camera of CarRacing's fast renderer: world to window coordinates, bit for bit as pygame computes them.

In: points (..., 2) float64. Out: the same shape, in pixels of Gymnasium's 1000×800 window. Called by:
`car_racing_fast`.
"""

from typing import Any

import numpy as np
import pygame
from gymnasium.envs.box2d.car_racing import PLAYFIELD, SCALE, STATE_H, WINDOW_H, WINDOW_W, ZOOM
from numpy.typing import NDArray

from wmframe.envs.car_racing_track import KEPT_ROWS

KEPT_HEIGHT = KEPT_ROWS * WINDOW_H // STATE_H  # 700 of the window's 800 rows
TOP = WINDOW_H - KEPT_HEIGHT  # the picture is drawn upside down: the rows of the instrument panel come first
MARGIN = 2.0  # antialiased lines reach this far beyond their vertices, in window pixels

Points = NDArray[np.float64]


class Camera:
    """Where the window looks: it follows the car, turns with it, and zooms in during the first second."""

    def __init__(self, hull: Any, time: float) -> None:
        self.angle = -hull.angle
        self.zoom = 0.1 * SCALE * max(1 - time, 0) + ZOOM * SCALE * min(time, 1)
        # pygame treats right angles apart; the images of the axes hold its cosine and sine in every case
        self.cos, self.sin = pygame.math.Vector2(1, 0).rotate_rad(self.angle)
        x, y = hull.position
        shift = pygame.math.Vector2((-x * self.zoom, -y * self.zoom)).rotate_rad(self.angle)
        self.shift = (WINDOW_W / 2 + shift[0], WINDOW_H / 4 + shift[1])

    def look(self, points: Points) -> Points:
        """World to window, in float64 and in pygame's order of operations."""
        x, y = points[..., 0], points[..., 1]
        seen = np.empty_like(points)
        seen[..., 0] = (self.cos * x - self.sin * y) * self.zoom + self.shift[0]
        seen[..., 1] = (self.sin * x + self.cos * y) * self.zoom + self.shift[1]
        return seen

    def back(self, column: float, row: float) -> tuple[float, float]:
        """Window to world, near enough to decide what may be left out."""
        across, up = (column - self.shift[0]) / self.zoom, (row - self.shift[1]) / self.zoom
        return self.cos * across + self.sin * up, self.cos * up - self.sin * across

    def sees_only_playfield(self) -> bool:
        """Whether all that is kept of the window lies well inside the playfield."""
        corners = [self.back(column, row) for column in (0, WINDOW_W) for row in (TOP, WINDOW_H)]
        return all(max(abs(x), abs(y)) < PLAYFIELD - MARGIN for x, y in corners)

    def near(self, centres: Points, radius: float) -> NDArray[np.intp]:
        """Which shapes, with these centres (P, 2) and within `radius` of them, may touch the kept rows."""
        x, y = self.back(WINDOW_W / 2, (TOP + WINDOW_H) / 2)
        reach = radius + (np.hypot(WINDOW_W, KEPT_HEIGHT) / 2 + MARGIN) / self.zoom
        return np.flatnonzero((centres[:, 0] - x) ** 2 + (centres[:, 1] - y) ** 2 < reach**2)


def inside(points: Points) -> NDArray[np.bool_]:
    """Which polygons (P, V, 2) in window pixels have a bounding box that touches the kept rows."""
    low, high = points.min(axis=1), points.max(axis=1)
    right_of, left_of = high[:, 0] > -MARGIN, low[:, 0] < WINDOW_W + MARGIN
    above, below = high[:, 1] > TOP - MARGIN, low[:, 1] < WINDOW_H + MARGIN
    touches: NDArray[np.bool_] = right_of & left_of & above & below
    return touches
