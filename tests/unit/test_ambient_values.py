"""User, session, tags and the like are read off Langfuse's ambient context and its spans."""

from __future__ import annotations

from enum import Enum
from typing import Any, ClassVar

import pytest
from langfuse import Langfuse, propagate_attributes
from opentelemetry import baggage
from opentelemetry import context as otel_context
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from tracesplice import _here
from tracesplice._here import here
from tracesplice._request import capture_link
from tracesplice_wire import Link, PromptRef, project_of
from unit.langfuse_ambient import EVERYTHING, EVERYTHING_LINKED, attached


class TestAmbientValues:
    def test_without_a_span_they_are_all_there(self) -> None:
        with propagate_attributes(**EVERYTHING):
            assert capture_link() == EVERYTHING_LINKED
        assert capture_link() == Link()

    @pytest.mark.parametrize("outside", [True, False])
    def test_with_a_span_they_are_there_too(self, langfuse: Langfuse, outside: bool) -> None:
        ambient = propagate_attributes(**EVERYTHING)
        span = langfuse.start_as_current_observation(name="x")
        with ambient if outside else span, span if outside else ambient:
            link = capture_link()
        assert link.trace_id
        assert (link.user_id, link.session_id, link.tags) == ("ann", "s1", ("a", "b"))
        assert (link.trace_name, link.environment, link.version) == ("chat", "test", "1.2")
        assert link.metadata == (("team", "red"), ("plan", "pro"))
        assert link.prompt == PromptRef("ambient", 2)

    def test_the_innermost_wins_and_tags_add_up(self) -> None:
        with (
            propagate_attributes(user_id="ann", tags=["a"]),
            propagate_attributes(user_id="bob", tags=["b"]),
        ):
            link = capture_link()
        assert (link.user_id, link.tags) == ("bob", ("a", "b"))

    def test_a_value_set_on_the_span_alone_counts(self, provider: TracerProvider) -> None:
        values = {"user.id": "ann", "session.id": "s1", "langfuse.trace.tags": ("a",)}
        tracer = provider.get_tracer("langfuse-sdk")
        with tracer.start_as_current_span("x", attributes=values):
            link = capture_link()
            with propagate_attributes(user_id="bob"):
                assert capture_link().user_id == "bob"
        assert (link.user_id, link.session_id, link.tags) == ("ann", "s1", ("a",))

    def test_they_arrive_by_baggage_alone(self) -> None:
        wire: dict[str, str] = {}
        with propagate_attributes(**{**EVERYTHING, "tags": ["a"]}, as_baggage=True):
            W3CBaggagePropagator().inject(wire)
        with attached(W3CBaggagePropagator().extract(wire, otel_context.Context())):
            link = capture_link()
        assert (link.user_id, link.session_id, link.trace_name) == ("ann", "s1", "chat")
        assert (link.environment, link.prompt) == ("test", PromptRef("ambient", 2))
        assert (link.version, dict(link.metadata)) == ("1.2", {"team": "red", "plan": "pro"})

    def test_the_context_goes_before_baggage(self) -> None:
        with (
            attached(baggage.set_baggage("langfuse_user_id", "eve")),
            propagate_attributes(user_id="ann"),
        ):
            assert capture_link().user_id == "ann"

    @pytest.mark.parametrize("text", ["Zoë", "用户", "🙂", "a b", "x" * 200])
    def test_any_text_langfuse_takes_passes(self, text: str) -> None:
        with propagate_attributes(user_id=text, session_id=text, tags=[text], trace_name=text):
            link = capture_link()
        assert (link.user_id, link.session_id, link.tags) == (text, text, (text,))
        assert link.trace_name == text

    @pytest.mark.parametrize("value", ["s" * 300, "", 7, "\ud83d", "a\udc00b"])
    def test_what_langfuse_would_drop_is_left_out_and_logged_once(
        self, provider: TracerProvider, value: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        tracer = provider.get_tracer("langfuse-sdk")
        attributes = {"session.id": value, "user.id": "ann"}
        with tracer.start_as_current_span("x", attributes=attributes):
            links = [capture_link() for _ in range(3)]
        assert {(link.session_id, link.user_id) for link in links} == {(None, "ann")}
        (record,) = caplog.records
        assert "session_id" in record.getMessage()
        assert "1 to 200 characters" in record.getMessage()
        assert len(record.getMessage()) < 200

    def test_one_odd_tag_leaves_the_others(self, caplog: pytest.LogCaptureFixture) -> None:
        with attached(baggage.set_baggage("langfuse_tags", ["a", "t" * 300, "b"])):
            assert capture_link().tags == ("a", "b")
        assert len(caplog.records) == 1

    def test_tags_are_sent_once_each_and_only_so_many(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        many = [str(number // 2) for number in range(10_000)]
        with attached(otel_context.set_value("langfuse.propagated.tags", many)):
            assert capture_link().tags == tuple(map(str, range(50)))
        assert len(caplog.records) == 1

    def test_of_metadata_only_so_many_entries_are_sent(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        many = {str(number): "x" for number in range(51)}
        with attached(otel_context.set_value("langfuse.propagated.metadata", many)):
            assert capture_link().metadata == tuple(many.items())[:50]
        assert len(caplog.records) == 1

    @pytest.mark.parametrize(
        "given", [[[]], [["a"]], [["a", "b", "c"]], [["k", "v"], ["a"]], ["ab"]]
    )
    def test_metadata_that_is_no_mapping_leaves_the_other_values(self, given: Any) -> None:
        with (
            attached(otel_context.set_value("langfuse.propagated.metadata", given)),
            propagate_attributes(user_id="ann"),
        ):
            assert capture_link() == Link(user_id="ann")

    def test_one_odd_entry_of_metadata_leaves_the_others(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        given = {"team": "red", "long": "x" * 300, "y" * 300: "long", "n": 1}
        with attached(otel_context.set_value("langfuse.propagated.metadata", given)):
            assert capture_link().metadata == (("team", "red"),)
        assert [record.getMessage()[:22] for record in caplog.records] == [
            "tracesplice: metadata,"
        ] * 2

    def test_somebody_s_own_kind_of_text_is_sent_as_text(self) -> None:
        class Team(str, Enum):
            RED = "red"

        with propagate_attributes(user_id=Team.RED, metadata={"team": Team.RED}):
            link = capture_link()
        assert type(link.user_id) is str
        assert (link.user_id, link.metadata) == ("red", (("team", "red"),))


def test_a_long_text_is_not_kept(langfuse: Langfuse) -> None:
    # What calls say is kept to be compared with what later calls say.
    with langfuse.start_as_current_observation(name="x") as span:
        span._otel_span.set_attribute("user.id", "u" * 1_000_000)
        assert len(str(here().attributes)) < 1_000


class TestWhatIsKeptForLaterCalls:
    """What came of what was said is kept, and given where the same is said again."""

    @pytest.mark.parametrize("name", ["prompt_version", "user_id", "tags"])
    @pytest.mark.parametrize("values", [(1, True), (1, 1.0), ("1", 1), (["1"], ["2"], ("1",), "1")])
    def test_values_that_look_alike_are_told_apart(self, name: str, values: Any) -> None:
        known = {"prompt_name": "p", "prompt_version": 7, name: None}
        given = [{**known, name: each} for each in (*values, *values)]
        alone = []
        for each in given:
            _here._known.clear()
            alone.append(self.linked(each))
        assert [self.linked(each) for each in given] == alone

    def linked(self, values: dict[str, Any]) -> Link:
        context = otel_context.get_current()
        for key, value in values.items():
            context = otel_context.set_value(f"langfuse.propagated.{key}", value, context)
        with attached(context):
            return capture_link()

    def test_another_value_on_the_span_is_seen(self, provider: TracerProvider) -> None:
        with provider.get_tracer("langfuse-sdk").start_as_current_span("x") as span:
            for user in ("ann", "bob", "ann"):
                span.set_attribute("user.id", user)
                assert capture_link().user_id == user
            span.set_attribute("langfuse.trace.tags", ["a"])
            assert capture_link().tags == ("a",)

    def test_what_tracers_say_is_told_apart_although_others_are_gone(self) -> None:
        for number in range(600):
            resource = Resource({"deployment.environment": f"e{number}"})
            tracer = TracerProvider(resource=resource, shutdown_on_exit=False).get_tracer(
                "langfuse-sdk", attributes={"public_key": f"pk-{number}"}
            )
            with tracer.start_as_current_span("x"):
                link = capture_link()
            assert (link.environment, link.project) == (f"e{number}", project_of(f"pk-{number}"))

    def test_it_is_little(self, provider: TracerProvider) -> None:
        with provider.get_tracer("langfuse-sdk").start_as_current_span("x") as span:
            for number in range(2_000):
                span.set_attribute("session.id", f"s{number}")
                assert capture_link().session_id == f"s{number}"
            for tags in (["t" * 1_000_000], [str(number) for number in range(10_000)]):
                span.set_attribute("langfuse.trace.tags", tags)
                capture_link()
        assert len(_here._known) <= 256
        assert len(str(_here._known)) < 1_000_000


class TestOfOneCall:
    """``langfuse.openai`` writes what a call's ``metadata`` says on its generation."""

    GIVEN: ClassVar[dict[str, Any]] = {
        "langfuse_user_id": "ann",
        "langfuse_session_id": "s1",
        "langfuse_tags": ["a", "b"],
    }

    def test_user_session_and_tags(self, langfuse: Langfuse) -> None:
        own = langfuse.start_observation(name="y", as_type="generation", metadata=self.GIVEN)
        link = capture_link(own._otel_span)
        own.end()
        assert (link.user_id, link.session_id, link.tags) == ("ann", "s1", ("a", "b"))

    def test_a_conversation_is_a_session_as_on_the_server(self, provider: TracerProvider) -> None:
        """pydantic-ai names one on each of its spans."""
        own = provider.get_tracer("pydantic-ai").start_span(
            "chat", attributes={"gen_ai.conversation.id": "c1", "gen_ai.request.model": "m"}
        )
        assert capture_link(own).session_id == "c1"
        with propagate_attributes(session_id="s1"):
            assert capture_link(own).session_id == "s1"
        own.end()

    def test_the_ambient_ones_go_first_as_on_the_server(self, langfuse: Langfuse) -> None:
        with propagate_attributes(user_id="bob"):
            own = langfuse.start_observation(name="y", as_type="generation", metadata=self.GIVEN)
            link = capture_link(own._otel_span)
            own.end()
        assert (link.user_id, link.session_id) == ("bob", "s1")

    @pytest.mark.parametrize("value", ['"ann"', "ann"])
    def test_as_each_release_of_the_sdk_writes_it(
        self, provider: TracerProvider, value: str
    ) -> None:
        attributes = {
            "langfuse.observation.metadata.langfuse_user_id": value,
            "langfuse.trace.metadata.team": value,
            "langfuse.trace.metadata.count": "3",
        }
        tracer = provider.get_tracer("langfuse-sdk")
        with tracer.start_as_current_span("x", attributes=attributes):
            link = capture_link()
        assert link.user_id == "ann"
        assert link.metadata == (("team", "ann"), ("count", "3"))


class TestOtherLibrariesContext:
    """OpenInference's ``using_user`` keeps a user there for the spans that it makes."""

    @pytest.mark.parametrize(
        "name", ["user.id", "session.id", "langfuse.tags", "deployment.environment"]
    )
    def test_is_not_ambient(self, name: str) -> None:
        with attached(otel_context.set_value(name, "x")):
            assert capture_link() == Link()

    def test_does_not_go_before_what_is(self) -> None:
        with (
            attached(otel_context.set_value("deployment.environment", "k8s")),
            propagate_attributes(environment="batch"),
        ):
            assert capture_link().environment == "batch"

    @pytest.mark.parametrize("name", [1, None, ("x",), b"x"])
    def test_may_have_names_of_any_kind(self, name: Any) -> None:
        with attached(otel_context.set_value(name, "x")), propagate_attributes(user_id="ann"):
            assert capture_link().user_id == "ann"
