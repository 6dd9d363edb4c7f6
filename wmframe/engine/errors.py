"""The one exception people are meant to read: raised anywhere, printed without a traceback by `wmframe.cli.main`."""


def printable(text: str) -> str:
    """Return text as a terminal may have it: lines of what can be seen. A foreign file's may hold escape sequences,
    which move the cursor, fill the clipboard, or turn the text around.
    """
    return "".join(character if character.isprintable() or character == "\n" else "�" for character in text)


class UserError(Exception):
    """A mistake the user can mend: says what was wrong, where, the nearest right thing, and what to type next.

    `exit_code` is 2 for a mistake in what was typed or configured, 1 for work that could not be finished.
    """

    def __init__(self, message: str, *, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code
