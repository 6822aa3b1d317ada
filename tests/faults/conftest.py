"""An OpenAI-protocol server in the gateway's place, so that a test sees what went over the wire."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import openai
import pytest
from langfuse import Langfuse
from langfuse.langchain import CallbackHandler
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

pytest.register_assert_rewrite("faults.compare")

import tracesplice  # noqa: E402
from faults.compare import Stage  # noqa: E402
from faults.scripted import Scripted  # noqa: E402
from tracesplice_testing.model import ModelServer  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class NoExport(SpanExporter):
    def export(self, spans: Sequence[Any]) -> SpanExportResult:
        return SpanExportResult.SUCCESS


@pytest.fixture(scope="session")
def _server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def wire(_server: ModelServer) -> ModelServer:
    _server.clear()
    return _server


@pytest.fixture
def elsewhere(_elsewhere: ModelServer) -> ModelServer:
    """A host that is no declared gateway, of `tracesplice_testing`'s plugin."""
    return _elsewhere


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Where calls are made unspliced and spliced, and compared."""
    langfuse, gateways = _langfuse(), (Scripted(), Scripted())
    stage = Stage(*gateways, langfuse)
    yield stage
    stage.close()
    for each in gateways:
        each.stop()
    langfuse.shutdown()


@pytest.fixture
def make_langfuse() -> Iterator[Callable[..., Langfuse]]:
    """Langfuse clients that export nowhere, each with its own keys and tracer provider."""
    made: list[Langfuse] = []

    def make(public_key: str | None = None, **options: Any) -> Langfuse:
        made.append(_langfuse(public_key, **options))
        return made[-1]

    yield make
    for client in made:
        client.shutdown()


def _langfuse(public_key: str | None = None, **options: Any) -> Langfuse:
    return Langfuse(
        public_key=public_key or f"pk-{secrets.token_hex(8)}",
        secret_key="sk-unused",
        base_url="http://127.0.0.1:9",
        **{"tracer_provider": TracerProvider(), "span_exporter": NoExport(), **options},
    )


@pytest.fixture
def langfuse(make_langfuse: Callable[[], Langfuse]) -> Langfuse:
    return make_langfuse()


@pytest.fixture
def make_handler(make_langfuse: Callable[[str], Langfuse]) -> Callable[[], CallbackHandler]:
    def make() -> CallbackHandler:
        key = f"pk-{secrets.token_hex(8)}"
        make_langfuse(key)
        return CallbackHandler(public_key=key)

    return make


@pytest.fixture
def _uninstrument() -> Iterator[None]:
    yield
    tracesplice.uninstrument()


@pytest.fixture
def make_anthropic(wire: ModelServer) -> Iterator[Callable[..., Any]]:
    """Makes clients of Anthropic's SDK that are not spliced."""
    import anthropic  # not in all sets of packages

    http = anthropic.DefaultHttpxClient()

    def client(**options: Any) -> Any:
        where = {"base_url": wire.url, "api_key": "k", "max_retries": 0, "http_client": http}
        return anthropic.Anthropic(**{**where, **options})

    yield client
    http.close()


@pytest.fixture
def make_llama_index(wire: ModelServer) -> Iterator[Callable[..., Any]]:
    """Makes models that are not spliced."""
    http_client = openai.DefaultHttpxClient()

    def model(**options: Any) -> Any:
        defaults = {
            "model": "m",
            "api_base": f"{wire.url}/v1",
            "api_key": "k",
            "is_chat_model": True,
            "max_retries": 0,
            "http_client": http_client,
        }
        from llama_index.llms.openai_like import OpenAILike  # not on openai 3

        return OpenAILike(**{**defaults, **options})

    yield model
    http_client.close()


@pytest.fixture
def llama_index(make_llama_index: Callable[..., Any]) -> Any:
    """A spliced model."""
    return tracesplice.splice(make_llama_index())


@pytest.fixture
def openinference(make_langfuse: Callable[..., Langfuse]) -> Iterator[Any]:
    """OpenInference's instrumentor of LlamaIndex at work.

    Yields a Langfuse client that counts each call once, and what returns the spans it exported.
    """
    from rig.llama_index_tracing import llama_index_traced  # not on openai 3

    provider, exporter = TracerProvider(), InMemorySpanExporter()
    langfuse = make_langfuse(
        tracer_provider=provider,
        span_exporter=exporter,
        mask_otel_spans=tracesplice.count_usage_once(),
    )

    def exported() -> Sequence[Any]:
        langfuse.flush()
        return exporter.get_finished_spans()

    with llama_index_traced(provider):
        yield langfuse, exported
