"""The one exception people are meant to read: raised anywhere, printed without a traceback by `wmframe.cli.main`."""


class UserError(Exception):
    """A mistake the user can mend: says what was wrong, where, the nearest right thing, and what to type next.

    `exit_code` is 2 for a mistake in what was typed or configured, 1 for work that could not be finished.
    """

    def __init__(self, message: str, *, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code
