"""Rows: what raises of ours, of plugins, and of what calls are linked by."""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack, contextmanager
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any
from unittest import mock

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

import tracesplice
from faults.table.stage import Fault
from tracesplice import _hooks, _sources, _splice
from tracesplice_wire import STRICT_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from faults.table.stage import Stage

__all__ = ["ROWS"]

ANY = f"{__name__}.raises"


def raises(*_: Any, **__: Any) -> Any:
    raise RuntimeError("broken on purpose")


class Raising:
    """Raises whatever is asked of it."""

    __slots__ = ()
    __getattribute__ = __len__ = __iter__ = __str__ = __repr__ = __eq__ = __bool__ = raises
    __hash__ = None  # type: ignore[assignment]


class RaisingSpan(trace.NonRecordingSpan):
    """A span that says nothing of itself."""

    attributes = property(raises)
    instrumentation_scope = property(raises)
    get_span_context = raises


class RaisingProcessor(SpanProcessor):
    def __init__(self, name: str) -> None:
        setattr(self, name, raises)


class RaisingHandler(logging.Handler):
    handle = raises


@contextmanager
def lenient() -> Iterator[None]:
    """As in production: a fault of ours is logged."""
    log = logging.getLogger("tracesplice")
    # pytest keeps what is logged, and with a traceback all that was at work.
    with mock.patch.dict(os.environ), mock.patch.object(log, "propagate", new=False):
        os.environ.pop(STRICT_VARIABLE, None)
        log.addHandler(nowhere := logging.NullHandler())
        try:
            yield
        finally:
            log.removeHandler(nowhere)


def broken(*names: str) -> Callable[[Stage], Any]:
    """Functions of ours that raise, where they are called."""

    @contextmanager
    def around(stage: Stage) -> Iterator[Any]:
        with ExitStack() as stack:
            stack.enter_context(lenient())
            for name in names:
                stack.enter_context(mock.patch(name, raises))
            yield stack.enter_context(stage.traced())

    return around


@contextmanager
def logging_raises(stage: Stage) -> Iterator[Any]:
    log, handler = logging.getLogger("tracesplice"), RaisingHandler()
    log.addHandler(handler)
    try:
        with broken("tracesplice._sdk_request.link_request")(stage) as langfuse:
            yield langfuse
    finally:
        log.removeHandler(handler)


@contextmanager
def plugin(stage: Stage) -> Iterator[Any]:
    points = entry_points(group="tracesplice")
    careless = EntryPoint("careless", "faults.table.careless", "tracesplice")
    found = _hooks.Adapters([*points, careless])
    with (
        lenient(),
        mock.patch.object(_splice, "adapters", return_value=found),
        mock.patch.dict(_sources.observation_sources, {raises: raises}),
        mock.patch.dict(_sources.ambient_sources, {raises: raises}),
        stage.traced() as langfuse,
    ):
        yield langfuse


def ambient(**values: object) -> Callable[[Stage], Any]:
    """Values that Langfuse's SDK would not make ambient, but another library may."""

    @contextmanager
    def around(stage: Stage) -> Iterator[Any]:
        context = otel_context.get_current()
        for name, value in values.items():
            context = otel_context.set_value(f"langfuse.propagated.{name}", value, context)
        with lenient(), stage.traced() as langfuse:
            token = otel_context.attach(context)
            try:
                yield langfuse if "prompt_name" not in values else None
            finally:
                otel_context.detach(token)

    return around


@contextmanager
def span(_: Stage) -> Iterator[Any]:
    context = trace.SpanContext(1, 1, is_remote=False)
    with lenient(), trace.use_span(RaisingSpan(context)):
        yield None


def with_client(**options: Any) -> Callable[[Stage], Any]:
    @contextmanager
    def around(stage: Stage) -> Iterator[Any]:
        made = stage.langfuses.make(**{k: make() for k, make in options.items()})
        with lenient():
            yield made
            made.flush()

    return around


def provider(name: str) -> TracerProvider:
    made = TracerProvider()
    made.add_span_processor(RaisingProcessor(name))
    return made


class RaisingExporter:
    export = raises

    def shutdown(self) -> None:
        pass

    def force_flush(self, _timeout: int = 0) -> bool:
        return True


LINK = "tracesplice._sdk_request.link_request"

ROWS = {
    "link": Fault("What makes the link of a call raises.", around=broken(LINK), linked=False),
    "here": Fault(
        "What looks for the call's observation raises.",
        around=broken("tracesplice._request.here"),
        linked=False,
    ),
    "encoded": Fault(
        "What encodes the link raises.",
        around=broken("tracesplice._here.encoded"),
        linked=False,
    ),
    "answered": Fault(
        "What notes the answer raises.",
        around=broken("tracesplice._request.LinkedRequest.answered"),
    ),
    "langchain": Fault(
        "Our LangChain adapter raises.",
        around=broken("tracesplice_langchain._runs.span_of_run"),
        libraries=("LangChain",),
    ),
    "llama_index": Fault(
        "Our LlamaIndex adapter raises.",
        around=broken(
            "tracesplice_llama_index._stream_context.current_observation",
            "tracesplice_llama_index._prompt_of_call.prompt_in",
        ),
        libraries=("LlamaIndex",),
    ),
    "logging": Fault(
        "What makes the link raises, and so does the log handler that is told.",
        around=logging_raises,
        linked=False,
    ),
    "plugin": Fault("A plugin raises in each of its hooks.", around=plugin, linked=None),
    "prompt": Fault(
        "A prompt raises whatever it is asked.",
        around=ambient(prompt_name=Raising(), prompt_version=Raising()),
        linked=None,
    ),
    "metadata": Fault(
        "Metadata, tags and user raise whatever they are asked.",
        around=ambient(metadata=Raising(), tags=Raising(), user_id=Raising(), prompt_name=None),
        linked=None,
    ),
    "span": Fault("The current span raises whatever it is asked.", around=span, linked=None),
    "processor": Fault(
        "A span processor raises when a span ends.",
        around=with_client(tracer_provider=lambda: provider("on_end")),
    ),
    "processor on start": Fault(
        "A span processor raises when a span starts.",
        around=with_client(tracer_provider=lambda: provider("on_start")),
    ),
    "mask": Fault(
        "The application's own mask raises.",
        around=with_client(mask_otel_spans=lambda: tracesplice.count_usage_once(then=raises)),
    ),
    "our mask": Fault(
        "What settles the usage of observations raises.",
        around=broken("tracesplice._usage.settle"),
    ),
    "exporter": Fault(
        "The exporter raises.", around=with_client(span_exporter=lambda: RaisingExporter())
    ),
}
