import importlib
import inspect
import pydoc
import sys
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pydantic
import pytest

from tests.engine.config.toy_house import MODULE, House
from wmframe.engine.config.annotation import Form, Many, Maybe, Nested, Plain
from wmframe.engine.config.signature import NO_DEFAULT, UNREADABLE, Signature, TargetError, read_signature

ALLOWED = ("wmframe", MODULE)


def assert_same(signature: Signature) -> None:
    """The static signature equals the one that Python itself reports once the target is imported."""
    module, _, name = signature.target.rpartition(".")
    target = getattr(importlib.import_module(module), name)
    real = inspect.signature(target).parameters
    callee = target.__init__ if inspect.isclass(target) else target
    names = {base.rpartition(".")[2]: pydoc.locate(base) for base in _bases(signature)}
    hints = get_type_hints(callee, localns=names, include_extras=True)  # some are imported for type checkers only
    assert list(signature.parameters) == list(real), signature.target
    for key, parameter in signature.parameters.items():
        assert real[key].kind is inspect.Parameter.KEYWORD_ONLY, f"{signature.target}.{key} must be keyword-only"
        assert parameter.default is not UNREADABLE, f"the default of {signature.target}.{key} is not a constant"
        _assert_default(parameter.default, real[key].default, f"{signature.target}.{key}")
        _assert_form(parameter.form, hints[key], f"{signature.target}.{key}")


def _bases(signature: Signature) -> Iterator[str]:
    forms = [parameter.form for parameter in signature.parameters.values()]
    while forms:
        form = forms.pop()
        if isinstance(form, Nested):
            yield form.base
        elif isinstance(form, Maybe | Many):
            forms.append(form.inner if isinstance(form, Maybe) else form.item)


def _assert_default(static: object, real: object, key: str) -> None:
    if static is NO_DEFAULT:
        assert real is inspect.Parameter.empty, key
    elif type(real).__name__ == "_HAS_DEFAULT_FACTORY_CLASS":
        assert static in ([], {}, ()), key
    else:
        assert static == real, key
        assert type(static) is type(real), key


def _assert_form(form: Form, hint: Any, key: str) -> None:
    match form:
        case Plain(type=kind):
            assert _normal(kind) == _normal(hint), key
        case Nested(base=base):
            assert inspect.isclass(get_origin(hint) or hint), key
            assert base.rpartition(".")[2] == (get_origin(hint) or hint).__name__, key
        case Maybe(inner=inner):
            rest = [a for a in get_args(hint) if a is not type(None)]
            _assert_form(inner, rest[0], key)
        case Many(item=item, keyed=keyed):
            assert issubclass(get_origin(hint), Mapping if keyed else Sequence), key
            _assert_form(item, get_args(hint)[1 if keyed else 0], key)


def _normal(kind: Any) -> Any:
    """A type with any sequence as a list, and without the leave to write a tuple as one."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        kept = [a for a in arguments[1:] if a != pydantic.Strict(False)]
        inner = _normal(arguments[0])
        return (inner, *kept) if kept else inner
    if inspect.isclass(origin) and origin is not tuple and issubclass(origin, Sequence | Mapping):
        return ("many", *map(_normal, arguments))
    if origin is typing.Literal or not arguments:
        return kind
    unordered = frozenset(map(_normal, arguments))
    return unordered if origin is not tuple else tuple(map(_normal, arguments))


@pytest.mark.parametrize(
    "name",
    ["Env", "Brownian", "Collect", "Vae", "small_vae", "Memory", "Controller", "World", "Search", "Trainer",
     "Tracker", "Paths", "Evaluate", "Experiment"],
)  # fmt: skip
def test_read_as_text_equals_read_by_python(house: House, name: str) -> None:
    assert_same(read_signature(f"toyhouse.parts.{name}", allowed=ALLOWED))


def test_reading_imports_nothing(house: House) -> None:
    signature = read_signature("toyhouse.parts.Experiment", allowed=ALLOWED)
    assert signature.file == "toyhouse/parts.py"
    assert "toyhouse" not in sys.modules


def test_a_re_export_leads_to_the_definition(house: House) -> None:
    signature = read_signature("toyhouse.Vae", allowed=ALLOWED)
    assert signature.file == "toyhouse/parts.py"
    assert "toyhouse.base.Vision" in signature.kinds


def test_a_function_counts_as_what_it_returns(house: House) -> None:
    assert "toyhouse.base.Vision" in read_signature("toyhouse.parts.small_vae", allowed=ALLOWED).kinds


def test_only_unmet_abstract_methods_make_a_class_abstract(house: House) -> None:
    assert read_signature("toyhouse.parts.Policy", allowed=ALLOWED).abstract
    assert not read_signature("toyhouse.parts.Brownian", allowed=ALLOWED).abstract


def test_an_edited_file_is_read_again(house: House) -> None:
    path = house.root / "toyhouse" / "late.py"
    path.write_text("class Late:\n    def __init__(self, *, a: int) -> None: ...\n")
    assert list(read_signature("toyhouse.late.Late", allowed=ALLOWED).parameters) == ["a"]
    path.write_text("class Late:\n    def __init__(self, *, bee: int) -> None: ...\n")
    assert list(read_signature("toyhouse.late.Late", allowed=ALLOWED).parameters) == ["bee"]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("os.system", "targets may come from"),
        ("builtins.eval", "targets may come from"),
        ("wmframe_evil.Thing", "targets may come from"),
        ("toyhousex.parts.Vae", "targets may come from"),
        ("Vae", "not of the form"),
        ("toyhouse.parts.Vae()", "not of the form"),
        ("../toyhouse.parts", "not of the form"),
        ("toyhouse..Vae", "not of the form"),
        ("toyhouse.Path", "defines no Path"),
        ("toyhouse.parts.dataclasses", "defines no dataclasses"),
        ("toyhouse.parts.Vae.encode", "there is no module"),
        ("toyhouse.base.SIZE", "neither a class nor a function"),
        ("toyhouse.broken.Vae", "not readable Python"),
        ("toyhouse.odd.Odd", "no YAML can hold"),
    ],
)
def test_targets_that_lead_nowhere(house: House, target: str, expected: str) -> None:
    (house.root / "toyhouse" / "broken.py").write_text("class Vae(:\n")
    (house.root / "toyhouse" / "odd.py").write_text(
        "class Part: ...\nclass Odd:\n    def __init__(self, *, a: int | Part) -> None: ...\n"
    )
    with pytest.raises(TargetError, match=expected):
        read_signature(target, allowed=ALLOWED)


@pytest.mark.parametrize(
    ("target", "right"),
    [
        ("toyhouse.parts.Vea", "toyhouse.parts.Vae"),
        ("toyhouse.prts.Vae", "toyhouse.parts.Vae"),
        ("toyhouse.parts.Brownain", "toyhouse.parts.Brownian"),
    ],
)
def test_the_nearest_target_is_named(house: House, target: str, right: str) -> None:
    with pytest.raises(TargetError) as caught:
        read_signature(target, allowed=ALLOWED)
    assert caught.value.near[0] == right
