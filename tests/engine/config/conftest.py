import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.config.toy_house import House, write_house


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """The miniature house on sys.path, its modules forgotten again afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    yield write_house(tmp_path)
    for name in [m for m in sys.modules if m.partition(".")[0] == "toyhouse"]:
        del sys.modules[name]
