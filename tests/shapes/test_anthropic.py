"""Every call of the Anthropic SDK, with and without a span, with each tracer and without."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("anthropic", reason="not in this set of packages")

from conformance.forms import FORMS
from conformance.harness import UNTRACED, Cell
from shapes.anthropic_application import (
    OPENINFERENCE,
    OPENLLMETRY,
    SDK_SPANS,
    AnthropicApplication,
)
from shapes.anthropic_shapes import SHAPES
from shapes.repairs import TABLE, unproved

if TYPE_CHECKING:
    from collections.abc import Callable

    from shapes.outcomes import Outcomes
    from shapes.shape import Shape

pytestmark = [
    # OpenLLMetry's own, of asynchronous raw responses.
    pytest.mark.filterwarnings("ignore:coroutine 'AsyncAPIResponse.parse':RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
NAME = AnthropicApplication.name
PACKAGES = ("anthropic", "langfuse")
# What OpenLLMetry makes no span for; and where it ends it before the request, or never.
UNSEEN = {"messages.parse"}
LOST = {"beta.messages.stream", "messages.create, stream left early"}


def _as_seen(shape: Shape, tracer: str) -> Shape:
    unseen = tracer == OPENLLMETRY and shape.name in UNSEEN
    return replace(shape, observations=0) if unseen else shape


CELLS = [
    Cell(AnthropicApplication, _as_seen(shape, tracer), kind, None, enclosed, tracer)
    for tracer in (UNTRACED, SDK_SPANS, OPENINFERENCE, OPENLLMETRY)
    for shape in SHAPES
    if tracer != OPENLLMETRY or shape.name not in LOST
    for kind in shape.kinds
    for enclosed in (True, False)
]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_call(cell: Cell, check: Callable[[Cell], Any]) -> None:
    check(cell)


def test_every_form_is_made(outcomes: Outcomes) -> None:
    if outcomes.cells < len(CELLS):
        pytest.skip("not every call was run")
    assert outcomes.forms == {name for name, form in FORMS.items() if form.route == "/messages"}


@pytest.mark.parametrize("method", [name for framework, name in TABLE if framework == NAME])
def test_without_a_wrapped_method_a_call_is_wrong(
    method: str, without: Callable[[list[Cell], str, str], None]
) -> None:
    without(CELLS, NAME, method)


def test_every_wrapped_method_is_proved(judged: Callable[[Cell], Any]) -> None:
    judged(CELLS[0])
    assert not unproved(NAME)
