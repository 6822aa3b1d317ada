"""A gateway, a model, a recorder and an enclosing application around a library."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from langfuse import Langfuse, propagate_attributes

import tracesplice
from tracesplice_testing.gateway import Gateway, GatewayMode
from tracesplice_testing.model import ModelServer
from tracesplice_testing.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tracesplice_testing.recorder import Observation, Trace


@dataclass
class Application:
    """A program that uses a library inside a span, with a prompt in force around it."""

    recorder: Recorder
    langfuse: Langfuse
    gateway: Gateway

    @contextmanager
    def span(self) -> Iterator[Any]:
        prompt = self.langfuse.get_prompt("ambient")
        with (
            self.langfuse.start_as_current_observation(name="enclosing") as span,
            propagate_attributes(prompt=prompt, user_id="user-1", session_id="session-1"),
        ):
            yield span

    def the_one_trace(self, span: Any, calls: int) -> Trace:
        """Return the trace of ``span`` once the gateway reported ``calls`` generations in it."""
        self.langfuse.flush()

        def complete(recorder: Recorder) -> Trace | None:
            trace = recorder.trace(span.trace_id)
            return trace if trace and len(generations(trace)) >= calls else None

        trace = self.recorder.wait_for(complete)
        assert [each.id for each in self.recorder.traces()] == [span.trace_id]
        assert len(generations(trace)) == calls
        return trace


def generations(trace: Trace) -> list[Observation]:
    """The generations the gateway reported."""
    return [each for each in trace.observations if each.name.startswith("litellm-")]


@pytest.fixture(scope="session")
def application() -> Iterator[Application]:
    with ModelServer() as model, Recorder() as recorder:
        recorder.add_prompt("ambient", "Say {{what}}", labels=["production"])
        client = Langfuse(
            base_url=recorder.url,
            public_key=recorder.public_key,
            secret_key=recorder.secret_key,
            flush_at=1,
        )
        with Gateway(
            GatewayMode.LANGFUSE, langfuse_env=recorder.env(), model_url=model.url
        ) as gateway:
            yield Application(recorder, client, gateway)
        client.shutdown()


@pytest.fixture(autouse=True)
def _instrumented(application: Application) -> Iterator[None]:
    application.recorder.clear()
    tracesplice.instrument(gateway=application.gateway.url)
    yield
    tracesplice.uninstrument()


@pytest.fixture
def check_linked() -> Callable[[Trace], None]:
    """Asserts prompt, user and session on every generation of the gateway."""

    def check(trace: Trace) -> None:
        for each in generations(trace):
            assert (each.prompt_name, each.prompt_version) == ("ambient", 1)
            assert (each.user_id, each.session_id) == ("user-1", "session-1")

    return check
