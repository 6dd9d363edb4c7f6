"""Which sources a data set is made of: the schema of conf/collect. Read by the collect stage."""

from dataclasses import dataclass

from wmframe.collect.contract import Source


@dataclass(frozen=True, kw_only=True)
class Collection:
    """Named sources, played in order: those of the `first` round, and those of every `later` one."""

    first: dict[str, Source]
    later: dict[str, Source]
