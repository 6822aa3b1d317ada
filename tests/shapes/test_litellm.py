"""Every call of the LiteLLM SDK, with and without a span, by every tracer."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("openinference.instrumentation.litellm", reason="not in this set of packages")

import tracesplice
from conformance.harness import UNTRACED, Cell
from shapes.litellm_application import OBSERVE, OPENINFERENCE, LiteLLMApplication
from shapes.litellm_clients import WARNINGS, cleared_away
from shapes.litellm_shapes import SHAPES
from shapes.repairs import TABLE, unproved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shapes.wire import WireStage

pytestmark = WARNINGS
NAME = LiteLLMApplication.name
PACKAGES = ("litellm", "openai", "langfuse")
# What one decorates: that it is decorated is the same for all others.
OBSERVED = (
    *("completion, litellm_proxy/", "completion, litellm_proxy/, stream"),
    *("responses, litellm_proxy/", "responses, litellm_proxy/, stream"),
    *("embedding, litellm_proxy/", "anthropic.messages.create"),
)
CELLS = [
    Cell(LiteLLMApplication, shape, kind, None, enclosed, tracer)
    for shape in SHAPES
    for tracer in (OPENINFERENCE, OBSERVE, UNTRACED)
    if tracer != OBSERVE or shape.name in OBSERVED
    for kind in shape.kinds
    for enclosed in (True, False)
]


@pytest.fixture(scope="module", autouse=True)
def _clear_away() -> Iterator[None]:
    with cleared_away():
        yield


@pytest.mark.usefixtures("_tracer")
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_call(cell: Cell, check: Callable[[Cell], Any]) -> None:
    check(cell)


@pytest.mark.parametrize("method", [name for framework, name in TABLE if framework == NAME])
def test_without_a_wrapped_method_a_call_is_wrong(
    stage: WireStage, method: str, without: Callable[[list[Cell], str, str], None]
) -> None:
    with _instrumented(stage):
        without(CELLS, NAME, method)


def test_every_wrapped_method_is_proved(stage: WireStage) -> None:
    with _instrumented(stage):
        assert not unproved(NAME)


@contextmanager
def _instrumented(stage: WireStage) -> Iterator[None]:
    # The application leaves it on then, and with it what it wraps.
    tracesplice.instrument(gateway=stage.wire.url)
    try:
        yield
    finally:
        tracesplice.uninstrument()
