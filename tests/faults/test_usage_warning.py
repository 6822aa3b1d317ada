"""Where calls count twice and nothing is configured, the logger says so once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import tracesplice
from faults.wire import client_of, say
from tracesplice._calls import calls
from tracesplice_wire import REPORTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import openai
    from langfuse import Langfuse

    from rig.model import ModelServer
    from tracesplice._usage import Owner

TRUE, FALSE, ABSENT = {REPORTS: "true"}, {REPORTS: "false"}, dict[str, str]()


@pytest.fixture
def client(wire: ModelServer) -> Iterator[openai.OpenAI]:
    with client_of(wire) as made:
        yield tracesplice.splice(made)


def ours(caplog: pytest.LogCaptureFixture) -> list[Any]:
    return [record for record in caplog.records if record.name == "tracesplice"]


class TestNothingConfigured:
    """Without a mask the user is told once, where a call really counts twice."""

    @pytest.fixture(autouse=True)
    def _unused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(calls, "is_used", False)

    @pytest.fixture
    def generation(self, langfuse: Langfuse) -> Iterator[None]:
        with langfuse.start_as_current_observation(name="g", as_type="generation", model="m"):
            yield

    @pytest.mark.usefixtures("generation")
    @pytest.mark.parametrize("headers", [ABSENT, TRUE])
    def test_it_is_said_once_with_what_to_type(
        self,
        wire: ModelServer,
        client: openai.OpenAI,
        headers: dict[str, str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        wire.answer_headers.update(headers)
        say(client)
        say(client)
        [record] = ours(caplog)
        assert "Langfuse(mask_otel_spans=tracesplice.count_usage_once())" in record.getMessage()
        assert 'count_usage_once(owner="client")' in record.getMessage()

    @pytest.mark.usefixtures("generation")
    def test_not_where_the_gateway_does_not_report(
        self, wire: ModelServer, client: openai.OpenAI, caplog: pytest.LogCaptureFixture
    ) -> None:
        wire.answer_headers.update(FALSE)
        say(client)
        assert ours(caplog) == []

    def test_not_where_the_client_has_no_generation(
        self, langfuse: Langfuse, client: openai.OpenAI, caplog: pytest.LogCaptureFixture
    ) -> None:
        say(client)
        with langfuse.start_as_current_observation(name="s"):
            say(client)
        assert ours(caplog) == []

    @pytest.mark.usefixtures("generation")
    @pytest.mark.parametrize("owner", ["gateway", "client"])
    def test_not_where_it_is_configured(
        self, client: openai.OpenAI, owner: Owner, caplog: pytest.LogCaptureFixture
    ) -> None:
        tracesplice.count_usage_once(owner=owner)
        say(client)
        assert ours(caplog) == []
