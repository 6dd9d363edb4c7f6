"""Every stage's name and code version. Kept apart from the stages, so that planning imports nothing heavy.

A version is raised when a stage's code changes what it computes: it is part of every key, so old results are not
taken for new ones.
"""

from typing import Final

CODE_VERSIONS: Final = {
    "collect": 3,
    "vision": 2,
    "latents": 1,
    "memory": 2,
    "controller": 3,
    "select": 3,
    "agent": 3,
    "baseline": 1,
    "evaluate": 7,
}
"""By stage; the stage's code is `wmframe.stages.<name>.run`."""
