"""A gateway that reports to Langfuse for those keys alone that say so, each to its own project."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from conformance.conftest import started
from conformance.curl import BAGGAGE, CHAT, PROMPT, REPORTS, Caller, is_linked
from conformance.test_the_adapter_money import digest_of
from tracesplice_testing.gateway import Gateway, GatewayMode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracesplice_testing.model import ModelServer
    from tracesplice_testing.recorder import Recorder

PROJECT = ("pk-lf-team", "sk-lf-team")
KEY = f"sk-{secrets.token_hex(24)}"
# A key as the gateway's database would have it: https://docs.litellm.ai/docs/proxy/team_logging
KEYS = """
import os
from litellm.proxy._types import UserAPIKeyAuth

names = ("langfuse_public_key", "langfuse_secret_key", "langfuse_host")
settings = dict(zip(names, (*{project}, os.environ["LANGFUSE_HOST"])))
logging = [
    {{"callback_name": "{name}", "callback_type": kind, "callback_vars": settings}}
    for kind in ("success", "failure")
]

async def key(request, api_key):
    metadata = {{"logging": logging}} if api_key == "{key}" else {{}}
    return UserAPIKeyAuth(api_key=api_key, metadata=metadata)
"""


@pytest.fixture(scope="module")
def of_keys(recorder: Recorder, model: ModelServer) -> Iterator[dict[GatewayMode, Gateway]]:
    recorder.add_project(*PROJECT)
    for _ in range(2):
        recorder.add_prompt(PROMPT, "Say {{what}}", project=PROJECT[0])

    def gateway(mode: GatewayMode) -> Gateway:
        name = "langfuse" if mode is GatewayMode.LANGFUSE else "langfuse_otel"
        nothing: dict[str, Any] = {
            "success_callback": [],
            "failure_callback": [],
            "callbacks": ["tracesplice_litellm.adapter"],
            "langfuse_enable_update_trace_keys": False,
        }
        return Gateway(
            mode,
            langfuse_env=recorder.env(),
            model_url=model.url,
            adapter=True,
            extra_settings=nothing,
            files={"keys.py": KEYS.format(project=PROJECT, name=name, key=KEY)},
            config_extra={"general_settings": {"custom_auth": "keys.key"}},
        )

    yield from started({mode: gateway(mode) for mode in GatewayMode})


@pytest.fixture
def caller(of_keys: dict[GatewayMode, Gateway], recorder: Recorder, mode: GatewayMode) -> Caller:
    return Caller(of_keys[mode], recorder)


def post(caller: Caller, project: str | None = PROJECT[0], **body: Any) -> Any:
    sent = {} if project is None else {"x-tracesplice-project": digest_of(project)}
    sent |= {"authorization": f"Bearer {KEY}", "baggage": BAGGAGE}
    return caller.post({**CHAT, **body}, **sent)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_call_is_in_its_client_s_trace(caller: Caller, *, stream: bool) -> None:
    reply = post(caller, stream=stream)
    assert (reply.status, reply.headers[REPORTS]) == (200, "true")
    [generation] = caller.generations()
    is_linked(caller, generation)
    found = (generation.user_id, generation.session_id, generation.environment, generation.project)
    assert found == ("user 1", "session-1", "staging", PROJECT[0])
    assert set(generation.tags) >= {"tag-1", "tag-2"}
    assert generation.cost > 0


def test_a_failed_call_costs_nothing(caller: Caller) -> None:
    failing = [{"role": "user", "content": "[[fail:500]]"}]
    assert post(caller, model="gpt-4o-mini", messages=failing).status == 500
    [generation] = caller.generations()
    is_linked(caller, generation)
    assert (generation.level, generation.cost, generation.estimated) == ("ERROR", 0, False)


@pytest.mark.parametrize("project", ["pk-lf-another", None], ids=["another", "unsaid"])
def test_its_project_is_not_told_of_another_s_trace(caller: Caller, project: str | None) -> None:
    caller.recorder.clear()
    reply = post(caller, project)
    assert (reply.status, reply.headers[REPORTS]) == (200, "false")
    [generation] = caller.recorder.wait_for(
        lambda made: [each for each in made.observations() if each.type == "GENERATION"] or None
    )
    assert (generation.project, generation.user_id) == (PROJECT[0], "user 1")
    if project is not None:
        assert generation.trace_id != caller.trace_id
        assert generation.parent_id is None


def test_a_key_that_says_nothing_is_not_reported(caller: Caller) -> None:
    caller.recorder.clear()
    assert caller.post(CHAT, baggage=BAGGAGE).headers[REPORTS] == "false"
    following = caller.another()
    post(following)
    following.generations()
    assert not caller.reported()
