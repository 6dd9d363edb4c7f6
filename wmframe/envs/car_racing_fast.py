"""The same picture as Gymnasium's CarRacing draws, rows 0–83, in a fraction of the time.

In: the state of the track. Out: an RGB image 96×84, equal to the reference in every pixel. Called by:
`CarRacing.make` with `renderer: fast`, after `car_racing_guard` has compared both.

Gymnasium turns some 700 polygons one vertex at a time in Python, draws most of them outside the picture,
and then the instrument panel. Here all vertices turn at once; what can't touch the kept rows is left out;
the rest goes through the same pygame calls, in the same order, on a surface of the same size, because how
a line is cut at the border changes its slope.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pygame
from gymnasium.envs.box2d.car_racing import GRASS_DIM, PLAYFIELD, STATE_W, WINDOW_H, WINDOW_W
from numpy.typing import NDArray
from PIL import Image
from pygame import gfxdraw

from wmframe.envs.car_racing_camera import KEPT_HEIGHT, TOP, Camera, Points, inside
from wmframe.envs.car_racing_fixtures import fixtures_made_once
from wmframe.envs.car_racing_shape import CarShape
from wmframe.envs.car_racing_track import KEPT_ROWS, Track


class FastTrack(Track):
    """A track that draws itself fast; physics and rewards are Gymnasium's."""

    def __init__(self) -> None:
        super().__init__()
        self.canvas = pygame.Surface((WINDOW_W, WINDOW_H))
        self.kept = self.canvas.subsurface((0, TOP, WINDOW_W, KEPT_HEIGHT))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode and gather its polygons in drawing order: grass (400), then road and kerbs."""
        with fixtures_made_once():
            answer: tuple[Any, dict[str, Any]] = super().reset(seed=seed, options=options)
        grass = grass_patches()
        self.polygons = np.concatenate([grass, np.array([polygon for polygon, _ in self.road_poly])])
        self.centres = self.polygons.mean(axis=1)
        self.radius = float(np.linalg.norm(self.polygons - self.centres[:, None], axis=-1).max())
        self.colours = np.empty((len(self.polygons), 3))
        self.colours[: len(grass)] = self.grass_color
        self._share_colours(self.colours[len(grass) :])
        self.shape = CarShape(self.car)
        return answer

    def _share_colours(self, rows: NDArray[np.float64]) -> None:
        """Make each tile's colour a view of one row: Gymnasium writes to it when the car touches the tile."""
        tiles: Iterator[Any] = iter(self.road or [])
        for index, (polygon, colour) in enumerate(self.road_poly):
            rows[index] = colour
            if isinstance(colour, np.ndarray):
                next(tiles).color = rows[index]
                self.road_poly[index] = (polygon, rows[index])

    def draw(self) -> Image.Image:
        """Rows 0–83 of Gymnasium's observation, 96 wide, as an RGB image."""
        assert self.car is not None  # noqa: S101  # Gymnasium's `reset` has made it
        camera = Camera(self.car.hull, self.t)
        self._draw_background(camera)
        self._draw_polygons(camera)
        self.shape.draw(self.canvas, camera)
        # smoothscale works across first and then down, so only the narrow picture need be turned over; and
        # 700 rows to 84 are the same steps as 800 to 96
        narrow = pygame.transform.smoothscale(self.kept, (STATE_W, KEPT_HEIGHT))
        small = pygame.transform.smoothscale(pygame.transform.flip(narrow, False, True), (STATE_W, KEPT_ROWS))
        return Image.frombytes("RGB", (STATE_W, KEPT_ROWS), pygame.image.tobytes(small, "RGB"))

    def _draw_background(self, camera: Camera) -> None:
        """The playfield, black beyond it; where it covers the picture, filling is the same and faster."""
        if camera.sees_only_playfield():
            pygame.surfarray.pixels2d(self.kept)[...] = self.kept.map_rgb(self.bg_color)  # 3× Surface.fill
            return
        self.canvas.fill((0, 0, 0))
        corners = PLAYFIELD * np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0], [-1.0, 1.0]])
        field = camera.look(corners).astype(np.int64).tolist()
        gfxdraw.aapolygon(self.canvas, field, self.bg_color)
        gfxdraw.filled_polygon(self.canvas, field, self.bg_color)

    def _draw_polygons(self, camera: Camera) -> None:
        """Grass, road and kerbs; their corners are cut to integers, as gfxdraw does.

        Gymnasium also leaves out what is far off the screen, but never anything that touches the picture.
        """
        near = camera.near(self.centres, self.radius)
        points = camera.look(self.polygons[near])
        seen = inside(points)
        colours = self.colours[near[seen]].astype(np.int64).tolist()
        canvas, outline, fill = self.canvas, gfxdraw.aapolygon, gfxdraw.filled_polygon
        for polygon, colour in zip(points[seen].astype(np.int64).tolist(), colours, strict=True):
            outline(canvas, polygon, colour)
            fill(canvas, polygon, colour)


def grass_patches() -> Points:
    """The corners of the 400 lighter squares, (400, 4, 2), in the order in which Gymnasium draws them."""
    steps = GRASS_DIM * np.arange(-20.0, 20.0, 2.0)
    corners = GRASS_DIM * np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    across, along = np.meshgrid(steps, steps, indexing="ij")
    places: Points = np.stack([across, along], axis=-1).reshape(-1, 1, 2)
    return places + corners
