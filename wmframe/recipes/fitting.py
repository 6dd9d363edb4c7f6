"""V and C made to fit an environment: what its frames and its actions are is its own to say, once.

Parts of a config come in and go out, while an experiment is planned. Where frames and actions are the usual ones, parts
stay as they are, and so do the keys of what they compute. Called by recipes and by the preflight.
"""

from typing import Final

from wmframe.engine.config.component import Component
from wmframe.engine.errors import UserError
from wmframe.engine.graph.recipe import Part, component, replaced, wrapped
from wmframe.frames import FRAME_SHAPE

_CHOOSING: Final = "wmframe.controller.choosing.Choosing"


def seeing(vision: Part, env: object) -> Part:
    """Return V for an environment's frames. Raises UserError for one that sees no others than its own."""
    shape, said = _shape(component(env)) or FRAME_SHAPE, _shape(component(vision))
    if shape == (said or FRAME_SHAPE):
        return vision
    if said is None:
        raise UserError(
            f"vision: {component(vision).target} sees frames of the shape {FRAME_SHAPE}, and this environment's are of "
            f"{shape}. Let its constructor take a frame_shape, or use vision=conv_vae."
        )
    if said != FRAME_SHAPE:
        raise UserError(
            f"vision.frame_shape={list(said)}: this environment's frames are of the shape {shape}, which V is told by "
            "itself. Leave the key out, or say env.frame_shape."
        )
    return replaced(vision, frame_shape=list(shape))


def acting(controller: Part, env: object) -> Part:
    """Return C for an environment's actions, which may be choices."""
    chooses = component(env).arguments.get("actions") == "discrete"
    return wrapped(controller, _CHOOSING, "of") if chooses else controller


def _shape(part: Component) -> tuple[int, ...] | None:
    """Return the `frame_shape` of a part; None for one that takes none."""
    shape = part.arguments.get("frame_shape")
    return tuple(shape) if isinstance(shape, list | tuple) else None
