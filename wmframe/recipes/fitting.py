"""V and C made to fit an environment: what its frames and its actions are is its own to say, once.

Parts of a config come in and go out, while an experiment is planned. Where frames and actions are the usual ones, parts
stay as they are, and so do the keys of what they compute. Called by recipes and by the preflight.
"""

from typing import Final

from wmframe.engine.errors import UserError
from wmframe.engine.graph.recipe import Part, component, replaced, wrapped
from wmframe.frames import FRAME_SHAPE

_CHOOSING: Final = "wmframe.controller.choosing.Choosing"


def seeing(vision: Part, env: object) -> Part:
    """Return V for an environment's frames. Raises UserError for one that knows the usual frames alone."""
    shape = component(env).arguments.get("frame_shape", FRAME_SHAPE)
    said = component(vision).arguments.get("frame_shape")
    if list(shape) == list(FRAME_SHAPE if said is None else said):  # type: ignore[call-overload]
        return vision
    if said is None:
        raise UserError(
            f"vision: {component(vision).target} sees frames of the shape {FRAME_SHAPE}, and this environment's are of "
            f"{tuple(shape)}. Let its constructor take a frame_shape, or use vision=conv_vae."  # type: ignore[arg-type]
        )
    return replaced(vision, frame_shape=shape)


def acting(controller: Part, env: object) -> Part:
    """Return C for an environment's actions, which may be choices."""
    chooses = component(env).arguments.get("actions") == "discrete"
    return wrapped(controller, _CHOOSING, "of") if chooses else controller
