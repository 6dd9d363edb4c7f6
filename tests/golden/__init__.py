"""Goldens: facts about the whole house, recorded while it stood, so that it can be rebuilt and mean the same.

| module | what is recorded | where |
|---|---|---|
| `test_graphs` | the stage graph of every shipped recipe, with all that stands in each key | `recorded/graphs.json` |
| `test_toys` | every number of every result of a few toy runs, to the bit | `recorded/toys.json` |
| `test_zoo` | what the shipped agents earned on each of their test seeds | `recorded/zoo.json` |
| `test_texts` | what commands and pages say | `recorded/*.txt` |

The first three say what must never change while names, packages and classes do. Where a name moves, its old and its new
one go into `translation.py`, and where a call moves, `house.py` follows it; the recordings stay as they are. Texts are
meant to be recorded anew whenever words are changed on purpose.

`python -m tests.golden.record` records anew: everything, or what it is told to (`graphs`, `toys`, `zoo`, `texts`).
"""
