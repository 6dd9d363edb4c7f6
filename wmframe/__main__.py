"""`python -m wmframe`: the same as the `wmframe` command."""

import sys
from pathlib import Path

import wmframe

if __name__ == "__main__":
    # `python -m` looks for modules in the working directory first, where somebody else's project may lie.
    here = Path(sys.path[0]).resolve()
    if not sys.flags.safe_path and here != Path(wmframe.__file__).resolve().parents[1]:
        sys.path.pop(0)
    from wmframe.cli.main import main

    raise SystemExit(main())
