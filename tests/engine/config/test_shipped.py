"""Every YAML file that ships is bound to a signature, and every signature read as text is Python's own."""

import re
from collections.abc import Iterator

import pytest
from omegaconf import OmegaConf

from tests.engine.config.test_signature import assert_same
from wmframe.cli.overrides import parse
from wmframe.cli.prepare import EXPERIMENT, prepare
from wmframe.engine.config.annotation import Form, Many, Maybe, Nested
from wmframe.engine.config.shipped import conf_dir
from wmframe.engine.config.signature import read_signature
from wmframe.engine.config.source import locate

CONF = conf_dir()
FILES = sorted(CONF.rglob("*.yaml"))

pytestmark = pytest.mark.skipif(
    not (CONF / "config.yaml").is_file() or locate(EXPERIMENT.rpartition(".")[0]) is None,
    reason="conf/ does not stand yet",
)


def targets(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("_target_"), str):
            yield value["_target_"]
        for item in value.values():
            yield from targets(item)
    elif isinstance(value, list):
        for item in value:
            yield from targets(item)


def bases(form: Form) -> Iterator[str]:
    match form:
        case Nested(base=base):
            yield base
        case Maybe(inner=inner) | Many(item=inner):
            yield from bases(inner)


def shipped_targets() -> list[str]:
    files = [OmegaConf.to_container(OmegaConf.load(path), resolve=False) for path in FILES]
    return sorted({EXPERIMENT, *targets(files)})


def test_every_file_is_bound() -> None:
    bound, choices = 0, [path for path in FILES if path.parent.name != "ablation"]  # sweeps: see test_ablation
    for path in choices:
        group, _, option = path.relative_to(CONF).with_suffix("").as_posix().partition("/")
        overrides = [f"{group}={option}"] if option else []
        assert len(prepare(parse(overrides))) == 1, path
        bound += 1
    assert bound == len(choices) > 10


def copied(value: object, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the dotted keys at which a file says what the signature says anyway."""
    if not isinstance(value, dict):
        return
    target = value.get("_target_")
    known = read_signature(target, allowed=("wmframe",)).parameters if isinstance(target, str) else {}
    for name, item in value.items():
        if name in known and type(item) is type(known[name].default) and item == known[name].default:
            yield ".".join((*path, name))
        yield from copied(item, (*path, name))


def test_no_file_says_again_what_the_signature_says() -> None:
    """But for what another key refers to, which is read before any signature is."""
    referred = {key for path in FILES for key in re.findall(r"\$\{([\w.]+)\}", path.read_text())}
    assert referred
    for path in FILES:
        group = path.relative_to(CONF).parts[0]
        found = copied(OmegaConf.to_container(OmegaConf.load(path), resolve=False))
        assert [key for key in found if f"{group}.{key}" not in referred] == [], path


def test_every_file_opens_with_the_command_that_runs_it() -> None:
    for path in FILES:
        assert path.read_text().startswith("# "), path
        assert "wmframe " in path.read_text().partition("\n_target_")[0].partition("\ndefaults")[0], path


@pytest.mark.parametrize("target", shipped_targets())
def test_signatures_read_as_text_are_pythons_own(target: str) -> None:
    assert_same(read_signature(target, allowed=("wmframe",)))


@pytest.mark.parametrize("target", shipped_targets())
def test_a_component_is_always_of_a_class_of_ours(target: str) -> None:
    """A foreign base can't be looked into as text: under it any function of ours would do for a target."""
    for parameter in read_signature(target, allowed=("wmframe",)).parameters.values():
        for base in bases(parameter.form):
            assert base.startswith("wmframe."), f"{target}.{parameter.name}"
            assert not read_signature(base, allowed=("wmframe",)).protocol
