"""Every call by which a run writes is made to fail once, as on a disk that is full, read-only, foreign or broken.

In one folder a chain of runs meets a fault each, every one later on the way than the last, and then a run meets none:
its results must be those of a run that nothing ever happened to.
"""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runs import hashes
from tests.torture.conftest import Figure
from tests.torture.kernel import Site, why_not
from tests.torture.machine import TINY, Ended, Machine
from tests.torture.scale import FULL, cases

CHAINS = 12
"""How many folders all faults are dealt out over."""

LOST_WITHOUT_HARM = (".lock",)
"""Files that a run can do without: a lock only saves work, and what it says of its owner is for people."""

needs_a_kernel_to_ask = pytest.mark.skipif(bool(why_not()), reason=why_not())


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    machine = Machine()
    yield machine
    machine.close()


@pytest.mark.slow
@needs_a_kernel_to_ask
def test_every_write_fails_once_and_nothing_is_lost(tmp_path: Path, machine: Machine, figure: Figure) -> None:
    whole = machine.run(*TINY, root=tmp_path / "whole", watched=True)
    assert whole.code == 0, whole.said
    golden = hashes(tmp_path / "whole")
    assert len(whole.sites) > 300
    met = 0
    chains = CHAINS if FULL else 1
    for number in range(chains):
        faults = list(enumerate(whole.sites))[number::chains]
        met += _chain(machine, tmp_path / str(number), cases(faults, 9), golden)
    figure("write sites", len(whole.sites))
    figure("faults met", met)
    assert met >= (len(whole.sites) * 0.97 if FULL else 8)


def _chain(machine: Machine, root: Path, faults: list[tuple[int, Site]], golden: dict[str, dict[str, str]]) -> int:
    """Meet one fault after the other, then none; returns how many were met."""
    met = 0
    for number, site in faults:
        error = site.errors()[number % len(site.errors())]
        ended = machine.run(*TINY, root=root, fault=site, error=error, lasting=number % 2 == 0)
        met += ended.hit
        _check(ended, site, error, root)
        assert hashes(root).items() <= golden.items(), (site, error)
    ended = machine.run(*TINY, root=root)
    assert ended.code == 0, ended.said
    assert hashes(root) == golden
    assert not list(root.glob("artefacts/*/*.work")), "work was left behind"
    return met


def _check(ended: Ended, site: Site, error: str, root: Path) -> None:
    """A fault is told with the file, the reason and a remedy; one that costs nothing stops nothing."""
    told = f"{site} {error}: {ended.code}\n{ended.said[-3000:]}"
    if not ended.hit or site.file.endswith(LOST_WITHOUT_HARM):
        assert ended.code in (0, 1), told
        return
    assert ended.polite(), told
    [line] = [line for line in ended.said.splitlines() if line.startswith("wmframe: ")]
    assert os.strerror(getattr(errno, error)) in line, told
    assert error == "EMFILE" or str(root) in line, told
    assert "the same command" in line, told
