"""What the stages declare is what computes them: the same arguments, with the same defaults."""

import importlib
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from wmframe.engine.graph.stage import Handle, declaration
from wmframe.stages.declared import STAGES


@pytest.mark.parametrize("declared", STAGES, ids=lambda declared: declared.__name__)
def test_a_stage_is_computed_by_a_function_of_the_same_arguments(declared: Callable[..., Handle]) -> None:
    module, _, name = declaration(declared).run.partition(":")
    computes: Callable[..., Any] = getattr(importlib.import_module(module), name)
    context, *arguments = inspect.signature(computes).parameters.values()
    assert context.name == "context"
    expected = inspect.signature(declared).parameters.values()
    assert [(one.name, one.kind, one.default) for one in arguments] == [
        (one.name, one.kind, one.default) for one in expected
    ]


def test_roles_are_names_of_arguments() -> None:
    for declared in STAGES:
        assert set(declaration(declared).roles) <= set(inspect.signature(declared).parameters)
