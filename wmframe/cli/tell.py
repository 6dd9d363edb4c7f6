"""What a command says on standard output. In: text that may come from anybody's files. Out: what can be seen of it."""

from wmframe.engine.errors import printable


def tell(text: str) -> None:
    """Print text, its lines kept and everything else replaced that a terminal would obey instead of show."""
    print(printable(text))
