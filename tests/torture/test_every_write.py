"""Every call by which a run writes is made to fail once, as on a disk that is full, read-only, foreign or broken.

In one folder a chain of runs meets a fault each, every one later on the way than the last, and then a run meets none:
its results must be those of a run that nothing ever happened to.
"""

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
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
"""Files that a run can do without: a lock only saves work, and what it says of its owner is for people. Nor does it
need a folder made that is there.
"""

needs_a_kernel_to_ask = pytest.mark.skipif(bool(why_not()), reason=why_not())


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    machine = Machine()
    yield machine
    machine.close()


@dataclass(frozen=True)
class Whole:
    """A run that nothing happened to: what it left, and all that it wrote on the way."""

    left: dict[str, dict[str, str]]
    sites: list[tuple[int, Site]]


@pytest.fixture(scope="module")
def whole(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    root = tmp_path_factory.mktemp("whole")
    ended = machine.run(*TINY, root=root, watched=True)
    assert ended.code == 0, ended.said
    assert len(ended.sites) > 300
    return Whole(hashes(root), list(enumerate(ended.sites)))


@pytest.mark.slow
@needs_a_kernel_to_ask
@pytest.mark.parametrize("chain", range(CHAINS) if FULL else [1])
def test_every_write_fails_once_and_nothing_is_lost(
    chain: int, tmp_path: Path, machine: Machine, whole: Whole, figure: Figure
) -> None:
    faults = cases(whole.sites[chain::CHAINS], 9)
    roots = (tmp_path / str(number) for number in count())
    root = next(roots)
    for number, site in faults:
        error = site.errors()[number % len(site.errors())]
        for _ in range(2):
            ended = machine.run(*TINY, root=root, fault=site, error=error, lasting=number % 2 == 0)
            _check(ended, site, error, root)
            assert hashes(root).items() <= whole.left.items(), (site, error)
            if ended.code == 0:  # the fault cost nothing, or what was done before has no such call any more
                _check_left(root, whole)
                root = next(roots)
            if ended.hit:
                break
        assert ended.hit, site
    ended = machine.run(*TINY, root=root)
    assert ended.code == 0, ended.said
    _check_left(root, whole)
    figure("write sites in this chain, of all", [len(faults), len(whole.sites)])


def _check_left(root: Path, whole: Whole) -> None:
    assert hashes(root) == whole.left
    assert not list(root.glob("artefacts/*/*.work")), "work was left behind"


def _check(ended: Ended, site: Site, error: str, root: Path) -> None:
    """A fault is told with the file, the reason and a remedy; one that costs nothing stops nothing."""
    told = f"{site} {error}: {ended.code}\n{ended.said[-3000:]}"
    if ended.code == 0:
        assert not ended.hit or site.file.endswith(LOST_WITHOUT_HARM) or site.call == "mkdir", told
        return
    assert ended.polite(), told
    [line] = [line for line in ended.said.splitlines() if line.startswith("wmframe: ")]
    assert os.strerror(getattr(errno, error)) in line, told
    assert error == "EMFILE" or str(root) in line, told
    assert "the same command" in line, told
