"""What Langfuse makes of a span: its type, its fields, its prompt."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from langfuse import Langfuse, propagate_attributes

if TYPE_CHECKING:
    from tracesplice_testing.recorder import Recorder


from unit.recorder_requests import (
    GENERATION,
    OTEL,
    PROMPT,
    USAGE,
    VERSION,
    call,
    kinds,
    observed,
    pairs,
    send,
    span,
    spans,
)


class TestTypes:
    @pytest.mark.parametrize(
        ("attributes", "expected"),
        [
            ({}, "SPAN"),
            ({GENERATION: "generation"}, "GENERATION"),
            ({GENERATION: "agent", "openinference.span.kind": "LLM"}, "AGENT"),
            ({GENERATION: "nonsense"}, "SPAN"),
            ({"openinference.span.kind": "LLM"}, "GENERATION"),
            ({"openinference.span.kind": "EMBEDDING"}, "EMBEDDING"),
            ({"openinference.span.kind": "CHAIN", "gen_ai.request.model": "m"}, "CHAIN"),
            ({"gen_ai.operation.name": "chat"}, "GENERATION"),
            ({"gen_ai.operation.name": "embeddings"}, "EMBEDDING"),
            ({"gen_ai.operation.name": "execute_tool"}, "TOOL"),
            ({"gen_ai.tool.name": "weather", "gen_ai.request.model": "m"}, "TOOL"),
            ({"gen_ai.request.model": "m"}, "GENERATION"),
            ({"llm.model_name": "m"}, "GENERATION"),
        ],
    )
    def test_by_attributes(self, rec: Recorder, attributes: dict[str, Any], expected: str) -> None:
        assert observed(rec, **attributes).type == expected

    def test_a_generation_of_an_old_sdk_is_recognised(self, rec: Recorder) -> None:
        made = spans(
            span(**{GENERATION: "span", USAGE: "{}"}),
            scope="langfuse-sdk",
            resource={"telemetry.sdk.language": "python"},
        )
        for version, expected in (("3.3.0", "GENERATION"), ("3.4.0", "SPAN")):
            made["resourceSpans"][0]["scopeSpans"][0]["scope"]["version"] = version
            call(rec, OTEL, made)
            assert rec.observations()[0].type == expected

    @pytest.mark.parametrize("kind", ["generation", "embedding", "tool", "agent", "retriever"])
    def test_the_sdk_says_its_own(self, rec: Recorder, sdk: Langfuse, kind: Any) -> None:
        sdk.start_observation(name="x", as_type=kind).end()
        sdk.flush()
        assert [o.type for o in rec.observations()] == [kind.upper()]


class TestFields:
    def test_an_error_is_a_level(self, rec: Recorder) -> None:
        send(rec, span() | {"status": {"code": 2, "message": "boom"}})
        assert [(o.level, o.status_message) for o in rec.observations()] == [("ERROR", "boom")]

    @pytest.mark.parametrize(("given", "kept"), [("LOUD", "DEFAULT"), ("warn", "WARNING")])
    def test_a_level_by_another_name(
        self, rec: Recorder, old: Recorder, given: str, kept: str
    ) -> None:
        for recorder in (rec, old):
            assert observed(recorder, **{"langfuse.observation.level": given}).level == kept
            assert recorder.problems() == []

    def test_an_end_before_the_start_is_kept(self, rec: Recorder, old: Recorder) -> None:
        for recorder, seconds in ((rec, -1), (old, 0)):
            send(recorder, span(2) | {"endTimeUnixNano": str(10**9)})
            (observation,) = recorder.observations()
            assert observation.end is not None
            assert (observation.end - observation.start).total_seconds() == seconds

    @pytest.mark.parametrize("tags", [["b", "a"], '["b", "a"]', "b, a"])
    def test_tags_as_list_as_json_and_with_commas(self, rec: Recorder, tags: Any) -> None:
        assert observed(rec, **{"langfuse.trace.tags": tags}).tags == ("b", "a")
        assert rec.traces()[0].tags == ("b", "a")

    def test_environment_from_span_then_resource(self, rec: Recorder) -> None:
        send(rec, span(), resource={"deployment.environment": "staging"})
        send(
            rec,
            span(2, **{"langfuse.environment": "prod"}),
            resource={"deployment.environment": "staging"},
        )
        assert [o.environment for o in rec.observations()] == ["staging", "prod"]
        assert rec.problems() == []

    @pytest.mark.parametrize(
        ("given", "kept"),
        [("Prod", "prod"), ("langfuse-langfuse_x", "x"), ("a b", "default"), ("x" * 50, "x" * 40)],
    )
    def test_an_environment_is_made_to_fit(self, rec: Recorder, given: str, kept: str) -> None:
        assert observed(rec, **{"langfuse.environment": given}).environment == kept
        assert kinds(rec) == ["value"]

    @pytest.mark.parametrize(
        ("key", "field"), [("user.id", "user_id"), ("session.id", "session_id")]
    )
    def test_ids_over_200_characters_are_kept(
        self, rec: Recorder, old: Recorder, key: str, field: str
    ) -> None:
        for recorder, length in ((rec, 201), (old, 200)):
            assert getattr(observed(recorder, **{key: "x" * length}), field) == "x" * length
            assert getattr(recorder.traces()[0], field) == "x" * length
            assert recorder.problems() == []
        assert getattr(observed(old, **{key: "x" * 201}), field) is None
        assert getattr(old.traces()[0], field) is None
        assert kinds(old) == ["value"]

    @pytest.mark.parametrize("where", ["observation", "trace"])
    def test_the_sdks_metadata_names_user_session_and_tags(self, rec: Recorder, where: str) -> None:
        given = {"user_id": "u", "session_id": "s", "tags": '["a", "b"]'}
        attributes = {f"langfuse.{where}.metadata.langfuse_{k}": v for k, v in given.items()}
        observation = observed(rec, **attributes)
        seen = (observation.user_id, observation.session_id, observation.tags)
        assert seen == ("u", "s", ("a", "b"))
        (trace,) = rec.traces()
        assert (trace.user_id, trace.session_id, trace.tags) == seen

    def test_metadata_scope_and_service(self, rec: Recorder) -> None:
        made = span(
            **{"langfuse.observation.metadata.a": "1", "langfuse.trace.metadata": '{"b":2}'}
        )
        send(rec, made, scope="the.scope", resource={"service.name": "shop"})
        (observation,) = rec.observations()
        assert (observation.scope, observation.service) == ("the.scope", "shop")
        assert observation.metadata["a"] == "1"
        assert observation.metadata["b"] == 2
        assert observation.metadata["resourceAttributes"] == {"service.name": "shop"}

    @pytest.mark.parametrize(
        ("attributes", "expected"),
        [
            ({"langfuse.observation.input": '{"q": 1}'}, ({"q": 1}, None)),
            ({"input.value": "in", "output.value": "out"}, ("in", "out")),
            ({"gen_ai.prompt.0.content": "in"}, ({"gen_ai.prompt.0.content": "in"}, None)),
            ({"gen_ai.output.messages": '["out"]'}, (None, ["out"])),
            ({"langfuse.observation.output": "a", "output.value": "b"}, (None, "a")),
        ],
    )
    def test_input_and_output(
        self, rec: Recorder, attributes: dict[str, Any], expected: tuple[Any, Any]
    ) -> None:
        observation = observed(rec, **attributes)
        assert (observation.input, observation.output) == expected

    @pytest.mark.parametrize(
        ("given", "shown"),
        [
            ('[{"role": "user"}]', {"messages": [{"role": "user"}]}),
            ('{"messages": []}', {"messages": []}),
            ("hello", {"prompt": "hello"}),
            (None, {}),
        ],
    )
    def test_openinferences_tools_are_in_the_input(
        self, rec: Recorder, given: str | None, shown: dict[str, Any]
    ) -> None:
        tools = [{"type": "function", "function": {"name": name}} for name in ("a", "b")]
        attributes = {
            f"llm.tools.{i}.tool.json_schema": json.dumps(t) for i, t in enumerate(tools)
        } | ({"input.value": given} if given else {})
        assert observed(rec, **attributes).input == shown | {"tools": tools}

    def test_messages_from_events(self, rec: Recorder) -> None:
        names = ("gen_ai.user.message", "gen_ai.choice", "other")
        events = [{"name": n, "attributes": pairs({"content": n})} for n in names]
        send(rec, span() | {"events": events})
        (observation,) = rec.observations()
        assert observation.input == [{"role": "user", "content": "gen_ai.user.message"}]
        assert observation.output == {"content": "gen_ai.choice"}


class TestPromptLinks:
    def linked(self, rec: Recorder, **attributes: Any) -> list[tuple[Any, Any]]:
        rec.clear()
        send(rec, span(**{GENERATION: "generation", PROMPT: "p"} | attributes))
        return [(o.prompt_name, o.prompt_version) for o in rec.observations()]

    def test_a_generation_with_an_existing_version_links(self, rec: Recorder) -> None:
        rec.add_prompt("p", "text")
        assert self.linked(rec, **{VERSION: 1}) == [("p", 1)]
        assert rec.problems() == []

    @pytest.mark.parametrize(("name", "version"), [("p", 2), ("q", 1), ("p", -1)])
    def test_an_unknown_one_does_not(self, rec: Recorder, name: str, version: int) -> None:
        rec.add_prompt("p", "text")
        assert self.linked(rec, **{PROMPT: name, VERSION: version}) == [(None, None)]
        assert kinds(rec) == ["prompt"]

    @pytest.mark.parametrize("kind", ["span", "event", "agent", "tool", "embedding"])
    def test_no_other_type_links(self, rec: Recorder, kind: str) -> None:
        rec.add_prompt("p", "text")
        assert self.linked(rec, **{GENERATION: kind, VERSION: 1}) == [(None, None)]
        assert kinds(rec) == ["prompt-type"]

    @pytest.mark.parametrize(
        ("version", "linked", "old_drops"),
        [
            ({VERSION: "2"}, ("p", 2), True),
            ({VERSION: 2.5}, ("p", 2), True),
            ({VERSION: 2.0}, ("p", 2), False),
            ({VERSION: 0}, (None, None), True),
            ({VERSION: "x"}, (None, None), True),
            ({}, (None, None), True),
        ],
    )
    def test_a_malformed_version(
        self,
        rec: Recorder,
        old: Recorder,
        version: dict[str, Any],
        linked: tuple[Any, Any],
        old_drops: bool,
    ) -> None:
        for recorder in (rec, old):
            recorder.add_prompt("p", "text")
            recorder.add_prompt("p", "text")
        assert self.linked(rec, **version) == [linked]
        assert kinds(rec) == ([] if linked[1] else ["prompt"])
        assert self.linked(old, **version) == ([] if old_drops else [linked])
        assert kinds(old) == (["dropped"] if old_drops else [])

    @pytest.mark.parametrize("kind", ["span", "agent"])
    def test_a_malformed_version_on_another_type_is_only_lost(
        self, rec: Recorder, old: Recorder, kind: str
    ) -> None:
        for recorder in (rec, old):
            assert self.linked(recorder, **{GENERATION: kind, VERSION: "1"}) == [(None, None)]
            assert kinds(recorder) == ["prompt-type"]

    def test_the_sdk_links_and_its_ambient_prompt_reaches_spans_in_vain(
        self, rec: Recorder, sdk: Langfuse
    ) -> None:
        rec.add_prompt("p", "text", labels=["production"])
        prompt = sdk.get_prompt("p")
        with propagate_attributes(prompt=prompt), sdk.start_as_current_observation(name="root"):
            sdk.start_observation(name="call", as_type="generation").end()
        sdk.flush()
        assert {o.name: o.prompt_version for o in rec.observations()} == {"root": None, "call": 1}
        assert [(p.kind, p.name) for p in rec.problems()] == [("prompt-type", "root")]
