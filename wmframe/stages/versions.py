"""Every stage's name and code version. Kept apart from the stages, so that planning imports nothing heavy.

A version is raised when a stage's code changes what it computes: it is part of every key, so old results are not
taken for new ones.
"""

from typing import Final

CODE_VERSIONS: Final = {
    "collect": 4,
    "vision": 3,
    "latents": 2,
    "memory": 3,
    "controller": 3,
    "select": 3,
    "agent": 4,
    "baseline": 1,
    "evaluate": 7,
}
"""By stage; the stage's code is `wmframe.stages.<name>.run`."""
