"""`python -m wmframe`: the same as the `wmframe` command."""

from wmframe.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
