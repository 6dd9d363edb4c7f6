"""Which of a user's files stand behind a part, and what of an edit counts: found by reading alone."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from wmframe.engine.config.bind import ConfigError, bind
from wmframe.engine.config.closure import code_of
from wmframe.engine.config.signature import TargetError

ALLOWED = ("wmframe", "mine", "space.part")
Write = Callable[[str, str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write files of a package `mine`, whose import would end the test."""
    monkeypatch.syspath_prepend(tmp_path)

    def file(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\nraise SystemExit('it was imported')\n")

    file("mine/__init__.py", "")
    file("mine/helper.py", "SIZE = 3")
    return file


def files(target: str = "mine.part.Part") -> dict[str, str]:
    """The fingerprints behind a target, by file."""
    return {module.file: module.fingerprint for module in code_of(target, ALLOWED)}


@pytest.mark.parametrize(
    "line",
    [
        "import mine.helper",
        "import mine.helper as h",
        "from mine import helper",
        "from mine.helper import SIZE as S",
        "from . import helper",
        "from .helper import SIZE",
        "from . import *",
        "def later():\n    def inside():\n        from .helper import SIZE\n",
        "try:\n    import fast\nexcept ImportError:\n    from . import helper",
        "if TYPE_CHECKING:\n    pass\nelse:\n    from . import helper",
        "class Part:\n    from .helper import SIZE\n",
    ],
)
def test_imports_of_every_form_are_followed(line: str, write: Write) -> None:
    write("mine/part.py", line)
    assert {"mine/__init__.py", "mine/part.py", "mine/helper.py"} <= set(files())
    assert "mine" not in sys.modules


@pytest.mark.parametrize(
    "line",
    [
        "if TYPE_CHECKING:\n    from .helper import SIZE",
        "import typing\nif typing.TYPE_CHECKING:\n    from .helper import SIZE",
        "import numpy, wmframe.memory.mdn_rnn, other.helper\nfrom wmframe.vision.contract import Vision",
        "from . import nothing\nfrom .... import helper",
    ],
)
def test_what_is_never_executed_or_not_allowed_is_not_followed(line: str, write: Write) -> None:
    write("other/helper.py", "")
    write("mine/part.py", line)
    assert set(files()) == {"mine/__init__.py", "mine/part.py"}


def test_packages_deeper_down_namespaces_and_circles(write: Write) -> None:
    write("mine/part.py", "from .deep.down import thing")
    write("mine/deep/__init__.py", "")
    write(
        "mine/deep/down.py",
        "from ..helper import SIZE\nfrom .. import part\nfrom . import beside\nimport space.part.one",
    )
    write("mine/deep/beside.py", "")
    write("space/part/one.py", "")  # no __init__ anywhere: a namespace package, of which a part is allowed
    deep = {"mine/deep/__init__.py", "mine/deep/down.py", "mine/deep/beside.py"}
    assert set(files()) == deep | {"mine/__init__.py", "mine/part.py", "mine/helper.py", "space/part/one.py"}


def test_what_wmframe_ships_has_none() -> None:
    assert code_of("wmframe.memory.mdn_rnn.MDNRNN", ("wmframe", "mine")) == ()


CODE = '''
"""A module."""

class Part:
    """A part."""

    def size(self, a, *, b=None):
        """Its size."""
        return f"{a!r:>{b}}" + 'x' * 1_000  # a comment
'''


@pytest.mark.parametrize(
    "edit",
    [
        ("  # a comment", ""),
        ('"""A module."""', '"""The same module."""'),
        ('        """Its size."""\n', ""),
        ("'x' * 1_000", '("x"\n            * 1000)'),
        ("\n\nclass", "\n\n\n\nclass"),
    ],
)
def test_comments_docstrings_and_layout_change_nothing(edit: tuple[str, str], write: Write) -> None:
    write("mine/part.py", CODE)
    before = files()
    assert edit[0] in CODE
    write("mine/part.py", CODE.replace(*edit))
    assert files() == before


@pytest.mark.parametrize(
    "edit", [("1_000", "1_001"), ("'x'", "'X'"), ("!r", "!s"), ("b=None", "b=0"), ("Part", "Fart")]
)
def test_whatever_python_executes_counts(edit: tuple[str, str], write: Write) -> None:
    write("mine/part.py", CODE)
    before = files()
    write("mine/part.py", CODE.replace(*edit))
    after = files()
    assert [file for file in before if before[file] != after[file]] == ["mine/part.py"]


def test_a_fingerprint_is_the_same_under_every_python(write: Write) -> None:
    """This is what 3.11, 3.12 and 3.13 say, whose trees differ; on 1,880 files of torch and Python they agree too."""
    write(
        "mine/part.py",
        CODE + 'EMPTY = f"{CODE:}" f"" f"{CODE:{1}{2}}"\nNONE = {**{}, 1: ...}, u"ü", b"\\xff", 1e-5, 2j',
    )
    assert files()["mine/part.py"] == "8da9bb931bd1ba48"


def test_where_a_file_lies_is_not_of_its_code(tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("mine/part.py", "from . import helper")
    here = files()
    (tmp_path / "mine").rename(tmp_path / "moved")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "moved").rename(tmp_path / "elsewhere" / "mine")
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")
    assert files() == here


@pytest.mark.parametrize("statement", ["RESULTS_VERSION = {}", "RESULTS_VERSION: Final = {}"])
def test_a_version_stands_for_the_code_of_its_own_module(statement: str, write: Write) -> None:
    write("mine/part.py", f"{statement.format(3)}\nfrom . import helper\nx = 1")
    before = files()
    assert before["mine/part.py"] == "RESULTS_VERSION 3"
    write("mine/part.py", f"{statement.format(3)}\nfrom . import helper\nx = 2")
    assert files() == before
    write("mine/helper.py", "SIZE = 4")
    assert files()["mine/helper.py"] != before["mine/helper.py"], "it speaks for its own module alone"
    write("mine/part.py", f"{statement.format(4)}\nfrom . import helper\nx = 2")
    assert files()["mine/part.py"] == "RESULTS_VERSION 4"


@pytest.mark.parametrize("value", ["1 + 1", "True", "'3'", "helper.VERSION"])
def test_a_version_that_would_have_to_be_computed_is_refused(value: str, write: Write) -> None:
    write("mine/part.py", f"RESULTS_VERSION = {value}")
    with pytest.raises(
        TargetError, match=r"mine/part\.py: RESULTS_VERSION must be a whole number .* RESULTS_VERSION = 3"
    ):
        files()


def test_a_helper_that_is_no_python_is_a_mistake_like_any_other(write: Write) -> None:
    write("mine/part.py", "from . import helper\nclass Part: ...")
    write("mine/helper.py", "def (:")
    with pytest.raises(ConfigError, match=r"_target_=mine.part.Part: mine.part.Part imports mine.helper, .* line 1"):
        bind({"_target_": "mine.part.Part"}, allowed=ALLOWED)
