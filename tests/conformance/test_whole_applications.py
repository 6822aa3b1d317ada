"""Set-ups of whole applications: what they say of a trace, and where they send it."""

from __future__ import annotations

import importlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from langfuse import Langfuse, propagate_attributes
from langfuse._client.resource_manager import LangfuseResourceManager
from openai.types.chat import ChatCompletion
from opentelemetry.sdk.trace import TracerProvider

import tracesplice
from conformance.checks import ENVIRONMENT
from conformance.harness import gateway_generations

if TYPE_CHECKING:
    from collections.abc import Iterator

    import openai

    from conformance.harness import Stage
    from tracesplice_testing.recorder import Observation, Trace

OTHER_KEYS = ("pk-lf-other", "sk-lf-other")
MESSAGES: Any = [{"role": "user", "content": "hello there"}]


@pytest.fixture
def patched() -> None:
    importlib.import_module("langfuse.openai")


def ask(client: openai.OpenAI, **more: Any) -> None:
    create: Any = client.chat.completions.create
    create(model="chat", messages=MESSAGES, **more)


def post(client: openai.OpenAI) -> None:
    """A call that `langfuse.openai` does not trace."""
    body = {"model": "chat", "messages": MESSAGES}
    client.post("/chat/completions", body=body, cast_to=ChatCompletion)


def generation(stage: Stage) -> tuple[Observation, Trace]:
    """The gateway's one generation, and its trace."""
    stage.langfuse.flush()
    [found] = stage.recorder.wait_for(lambda _: gateway_generations(stage) or None)
    [trace] = [each for each in stage.recorder.traces() if each.id == found.trace_id]
    return found, trace


def test_a_part_of_an_application_may_have_an_environment_of_its_own(
    stage: Stage, client: openai.OpenAI
) -> None:
    with (
        propagate_attributes(environment="staging"),
        stage.langfuse.start_as_current_observation(name="mine"),
    ):
        post(client)
    found, trace = generation(stage)
    assert (found.environment, trace.environment) == ("staging", "staging")


@pytest.mark.usefixtures("patched")
def test_user_session_and_tags_may_be_in_langfuses_metadata(
    stage: Stage, client: openai.OpenAI
) -> None:
    who = {"user_id": "ann", "session_id": "monday", "tags": ["a", "b"]}
    ask(client, metadata={f"langfuse_{key}": value for key, value in who.items()})
    found, trace = generation(stage)
    for each in (found, trace):
        # The trace's may come of the client's generation, where the SDK writes JSON texts.
        seen = [str(value).strip('"') for value in (each.user_id, each.session_id)]
        assert seen == ["ann", "monday"]
        assert {"a", "b"} <= set(each.tags)
    assert found.user_id == "ann"


@pytest.mark.usefixtures("patched")
def test_what_the_application_leaves_open_the_gateway_does_too(
    stage: Stage, client: openai.OpenAI
) -> None:
    ask(client)
    for each in generation(stage):
        assert (each.user_id, each.session_id, each.environment) == (None, None, ENVIRONMENT)


@contextmanager
def other_project(stage: Stage) -> Iterator[Langfuse]:
    """A client of a second project, which the gateway knows nothing of."""
    stage.recorder.add_project(*OTHER_KEYS)
    public_key, secret_key = OTHER_KEYS
    client = Langfuse(
        base_url=stage.recorder.url,
        public_key=public_key,
        secret_key=secret_key,
        tracer_provider=TracerProvider(),
        flush_at=1,
        mask_otel_spans=tracesplice.count_usage_once(),
    )
    yield client
    client.shutdown()
    # With a second one in the process, `langfuse.openai` would trace nothing in the tests to come.
    LangfuseResourceManager._instances.pop(public_key)


def test_another_projects_figures_stay_its_own(stage: Stage, client: openai.OpenAI) -> None:
    with other_project(stage) as other:
        for langfuse, cost in ((other, 2.0), (stage.langfuse, 1.0)):
            with langfuse.start_as_current_observation(
                name="mine", as_type="generation", model="chat", cost_details={"total": cost}
            ):
                post(client)
        other.flush()
    stage.langfuse.flush()
    stage.recorder.wait_for(lambda _: len(_of_project(stage)) == 2 or None)
    mine = {each.project: each.cost for each in stage.observations() if each.name == "mine"}
    assert mine == {OTHER_KEYS[0]: 2.0, stage.recorder.public_key: 0.0}
    # What the gateway reports of the other project's call is a trace of its own, and has a name.
    own = [each for each in stage.recorder.traces() if each.project != OTHER_KEYS[0]]
    shown = [each for each in own if each.observations and each.id not in stage.earlier_traces]
    assert len(shown) == 2
    assert all(each.name for each in shown)
    assert not {each.trace_id for each in stage.observations() if each.project == OTHER_KEYS[0]} & {
        each.id for each in shown
    }


def _of_project(stage: Stage) -> list[Observation]:
    """The gateway's generations: it reports to the first project."""
    own = stage.recorder.public_key
    return [each for each in gateway_generations(stage) if each.project == own]


def test_a_span_that_langfuse_does_not_store_is_no_parent(
    stage: Stage, client: openai.OpenAI
) -> None:
    server = TracerProvider().get_tracer("web.server")
    with server.start_as_current_span("GET /") as span:
        post(client)
    found, trace = generation(stage)
    by_id = {each.id: each for each in trace.observations}
    top = found
    while top.parent_id in by_id:
        top = by_id[top.parent_id]
    assert (top.parent_id, bool(trace.name)) == (None, True)
    assert found.parent_id != f"{span.get_span_context().span_id:016x}"
