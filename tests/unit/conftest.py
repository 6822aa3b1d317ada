"""A recorder, as new for each test, and clients of Langfuse's SDK, for it and for nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from langfuse import Langfuse
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tracesplice._calls import calls
from tracesplice._inside import insides
from tracesplice_testing.recorder import Recorder
from unit import spans

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unit.spans import Program


@pytest.fixture(scope="module")
def server() -> Iterator[Recorder]:
    with Recorder() as recorder:
        yield recorder


@pytest.fixture
def rec(server: Recorder) -> Recorder:
    server.reset()
    return server


@pytest.fixture(scope="module")
def old_server() -> Iterator[Recorder]:
    with Recorder(storage="old") as recorder:
        yield recorder


@pytest.fixture
def old(old_server: Recorder) -> Recorder:
    """A recorder with Langfuse's older storage."""
    old_server.reset()
    return old_server


@pytest.fixture
def sdk(rec: Recorder) -> Iterator[Langfuse]:
    client = Langfuse(
        tracer_provider=TracerProvider(),
        base_url=rec.url,
        public_key=rec.public_key,
        secret_key=rec.secret_key,
    )
    yield client
    client.shutdown()


@pytest.fixture
def nothing_reported() -> Iterator[None]:
    """No observation is known of, before and after."""
    calls.clear()
    insides.clear()
    yield
    calls.clear()
    insides.clear()


@pytest.fixture(scope="module")
def provider() -> TracerProvider:
    return TracerProvider()


@pytest.fixture(scope="module")
def langfuse(provider: TracerProvider, request: pytest.FixtureRequest) -> Iterator[Langfuse]:
    client = Langfuse(
        # Langfuse keeps what it shut down of a key, and to shut it down again may hang.
        public_key=f"pk-{request.module.__name__}",
        secret_key="sk-unit",
        base_url="http://127.0.0.1:9",
        tracer_provider=provider,
        span_exporter=InMemorySpanExporter(),
    )
    yield client
    client.shutdown()


@pytest.fixture(scope="module")
def traced(request: pytest.FixtureRequest) -> Iterator[Program]:
    """A program whose usage is counted once."""
    with spans.program(f"pk-{request.module.__name__}") as found:
        yield found


@pytest.fixture(params=["one batch", "a batch each"])
def program(traced: Program, request: pytest.FixtureRequest) -> Program:
    """The same, whose spans are exported in one batch, or one by one."""
    traced.after_each = traced.langfuse.flush if request.param == "a batch each" else lambda: None
    return traced
