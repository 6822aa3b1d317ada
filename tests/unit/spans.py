"""Programs whose spans are made by OpenTelemetry and exported by Langfuse's SDK."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from langfuse import Langfuse
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tracesplice
from tracesplice._langfuse_types import has_model
from tracesplice._request import link_request
from tracesplice_testing.recorder._given import given_cost, given_usage
from tracesplice_testing.recorder._usage import cost_details, count, usage_details
from tracesplice_wire import REPORTS
from unit.masking import PRICES, USAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from langfuse.types import MaskOtelSpansFunction
    from opentelemetry.sdk.trace import ReadableSpan

__all__ = [
    "OPENINFERENCE",
    "USERS",
    "Node",
    "Program",
    "agent",
    "counted",
    "gap",
    "llm",
    "plain",
    "program",
    "tokens",
    "users",
]

USERS = "langfuse-sdk"
OPENINFERENCE = "openinference.instrumentation.any"
ANSWERS = {"reported": {REPORTS: "true"}, "kept": {REPORTS: "false"}}


@dataclass(frozen=True)
class Node:
    """A span that is to be made.

    Attributes:
        scope: Of the instrumentation that makes it.
        attributes: What it says.
        inside: The spans in it.
        call: What becomes of a call that is made in it: "reported", "kept" or "failed".
    """

    scope: str
    attributes: Mapping[str, Any]
    inside: tuple[Node, ...] = ()
    call: str | None = None
    name: str = "span"

    def __repr__(self) -> str:
        said = sum(self.said.values()) or ""
        inside = f"({', '.join(map(repr, self.inside))})" if self.inside else ""
        return f"{self.name} {self.call or ''} {said}{inside}"

    def around(self, *inside: Node) -> Node:
        return replace(self, inside=inside)

    @property
    def said(self) -> dict[str, Any]:
        """The usage it says, as Langfuse reads it."""
        return given_usage(self.attributes)


def _openinference(kind: str, used: tuple[int, int] | None) -> dict[str, Any]:
    said: dict[str, Any] = {"openinference.span.kind": kind}
    if used is None:
        return said
    counts = dict(zip(("prompt", "completion"), used, strict=True))
    return said | {f"llm.token_count.{key}": value for key, value in counts.items()}


def llm(used: tuple[int, int] | None = (3, 4), call: str | None = "reported", **more: Any) -> Node:
    """A model's span, by OpenInference."""
    said = _openinference("LLM", used) | {"llm.model_name": "gpt", "output.value": "hi", **more}
    return Node(OPENINFERENCE, said, call=call, name="llm")


def agent(used: tuple[int, int] | None = (3, 4), **more: Any) -> Node:
    """An agent's span, by OpenInference."""
    return Node(OPENINFERENCE, {**_openinference("AGENT", used), **more}, name="agent")


def plain(**said: Any) -> Node:
    """A span of an instrumentation that says nothing of usage."""
    return Node(OPENINFERENCE, {"openinference.span.kind": "CHAIN", **said}, name="chain")


def gap() -> Node:
    """A span that Langfuse does not export."""
    return Node("opentelemetry.instrumentation.web", {"http.route": "/"}, name="gap")


def users(kind: str, used: tuple[int, int] | None = None, call: str | None = None) -> Node:
    """An observation of the user's."""
    said = {"langfuse.observation.type": kind}
    if used is not None:
        said[USAGE] = json.dumps(dict(zip(("input", "output"), used, strict=True)))
    return Node(USERS, said, call=call, name=f"users {kind}")


@dataclass
class Program:
    """A program that is traced."""

    provider: TracerProvider
    langfuse: Langfuse
    exporter: InMemorySpanExporter
    public_key: str
    after_each: Callable[[], object] = field(default=lambda: None)

    def run(self, *trees: Node, parent: trace.Span | None = None) -> list[ReadableSpan]:
        """Make these spans, and return what is exported of them."""
        self.exporter.clear()
        with ExitStack() as around:
            if parent is not None:
                around.enter_context(trace.use_span(parent))
            for tree in trees:
                self.make(tree)
        return self.exported()

    def exported(self) -> list[ReadableSpan]:
        self.langfuse.flush()
        return list(self.exporter.get_finished_spans())

    def make(self, node: Node) -> None:
        """Make a span and those in it."""
        with self.span(node):
            for each in node.inside:
                self.make(each)
        self.after_each()

    def start(self, node: Node, made: list[trace.Span]) -> None:
        """Make a span and those in it, which do not end."""
        span = self._started(node)
        made.append(span)
        with trace.use_span(span):
            for each in node.inside:
                self.start(each, made)

    @contextmanager
    def span(self, node: Node) -> Iterator[trace.Span]:
        """Make a span, with a call in it."""
        with trace.use_span(self._started(node), end_on_exit=True) as span:
            yield span

    def _started(self, node: Node) -> trace.Span:
        # Langfuse's SDK says on its tracer which project its observations are in.
        key = {"public_key": self.public_key} if node.scope == USERS else None
        tracer = self.provider.get_tracer(node.scope, attributes=key)
        span = tracer.start_span(node.name, attributes=dict(node.attributes))
        if node.call:
            with trace.use_span(span):
                request = link_request({}, {}, observation=span)
            if node.call in ANSWERS:
                request.answered(ANSWERS[node.call])
        return span


@contextmanager
def program(key: str, mask: MaskOtelSpansFunction | None = None) -> Iterator[Program]:
    """A program whose usage is counted once.

    Args:
        key: The public key of its Langfuse project.
        mask: The mask, where it is another one.
    """
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    client = Langfuse(
        public_key=key,
        secret_key="sk",
        base_url="http://127.0.0.1:9",
        tracer_provider=provider,
        span_exporter=exporter,
        mask_otel_spans=mask or tracesplice.count_usage_once(),
    )
    yield Program(provider, client, exporter, key)
    client.shutdown()


def tokens(spans: list[ReadableSpan]) -> dict[str, float]:
    """The tokens that Langfuse counts, by name of the span."""
    found: dict[str, float] = {}
    for span in spans:
        found[span.name] = found.get(span.name, 0) + counted(span.attributes or {})[0]
    return {name: value for name, value in found.items() if value}


def counted(said: Mapping[str, Any]) -> tuple[int, float]:
    """The tokens and the cost that Langfuse counts, which counts itself where there is a model."""
    usage, cost = usage_details(given_usage(said)), cost_details(given_cost(said), negative=True)
    found = count(usage, cost, PRICES if has_model(said) else None, ("what was asked", "hi"))
    return found.usage.get("total", 0), found.cost
