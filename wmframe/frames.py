"""What a frame is: the shape in which environments show, V sees and shards keep. Imports nothing heavy."""

from typing import Final, Literal

from pydantic import PositiveInt

FrameShape = tuple[PositiveInt, PositiveInt, Literal[1, 3]]
"""Height and width in pixels; 3 channels of colour, or 1 of grey."""

FRAME_SIZE: Final = 64
FRAME_SHAPE: Final = (FRAME_SIZE, FRAME_SIZE, 3)
"""A frame's shape unless an environment says another (paper, appendix A.1)."""
