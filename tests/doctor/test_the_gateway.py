"""What the doctor says of a gateway before any call, and of what is no gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.applications import Starlette
from starlette.responses import RedirectResponse
from starlette.routing import Route

from doctor.between import between, served
from tracesplice_cli.doctor import _command
from tracesplice_testing.gateway._process import free_port

if TYPE_CHECKING:
    from doctor.conftest import Doctor, Outcome
    from tracesplice_testing.gateway import Gateway
    from tracesplice_testing.recorder import Recorder


def test_nobody_answers(doctor: Doctor) -> None:
    outcome = doctor.run("--gateway", f"http://127.0.0.1:{free_port()}")
    assert outcome.problems() == {"gateway.server"}
    assert "Connection refused" in outcome.text("gateway.server")
    assert "tracesplice doctor --gateway http://localhost:4000" in outcome.text("gateway.server")
    assert outcome.code == 1


def test_no_gateway_is_named(doctor: Doctor) -> None:
    outcome = doctor.run()
    assert outcome.problems() == {"gateway.server"}
    assert "export LITELLM_PROXY_API_BASE=" in outcome.text("gateway.server")


@pytest.mark.parametrize("url", ["api.openai.com", "ftp://gateway", "https://api.openai.com/v1"])
def test_an_address_that_cannot_be_a_gateway_s(doctor: Doctor, url: str) -> None:
    outcome = doctor.with_(OPENAI_BASE_URL=url, OPENAI_API_KEY="sk-of-openai-itself").run()
    assert outcome.problems() == {"gateway.server"}
    assert "export OPENAI_BASE_URL=" in outcome.text("gateway.server")


def test_another_server_is_no_litellm(doctor: Doctor, recorder: Recorder) -> None:
    outcome = doctor.run("--gateway", recorder.url)
    assert outcome.problems() == {"gateway.server"}
    assert "is no LiteLLM gateway (HTTP 404" in outcome.text("gateway.server")


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"data": [1, null, "id", {"id": "chat"}]}'])
def test_an_odd_answer(doctor: Doctor, gateways: dict[str, Gateway], data: bytes) -> None:
    def answered(body: bytes) -> bytes:
        return data if b'"data"' in body else body

    gateway = gateways["langfuse"]
    with between(gateway.url, answered=answered) as url:
        outcome = doctor.of(gateway).with_(LITELLM_PROXY_API_BASE=url).run()
    assert outcome.code < 2, outcome.output
    assert outcome.problems() == ({"gateway.key"} if data.startswith(b"[") else set())


def test_a_redirect_is_named_and_the_key_does_not_follow(doctor: Doctor) -> None:
    followed = []

    async def away(_: object) -> RedirectResponse:
        return RedirectResponse("/there", 301)

    async def there(_: object) -> RedirectResponse:
        followed.append(True)
        return RedirectResponse("/", 301)

    routes = [Route("/there", there), Route("/{path:path}", away)]
    with served(Starlette(routes=routes)) as url:
        outcome = doctor.run("--gateway", url)
    assert "sends its callers on to /there" in outcome.text("gateway.server")
    assert not followed


def test_a_gateway_that_needs_no_key(doctor: Doctor, gateways: dict[str, Gateway]) -> None:
    gateway = gateways["langfuse"]

    def sent(headers: dict[str, str]) -> dict[str, str]:
        assert "authorization" not in headers
        return headers | {"authorization": f"Bearer {gateway.key}"}

    with between(gateway.url, sent=sent) as url:
        outcome = doctor.run("--gateway", url, "--probe", "--model", "chat", "--wait", "30")
    assert {each["state"] for each in outcome.findings.values()} == {"ok"}, outcome.output
    assert "answers without a key" in outcome.text("gateway.key")


def test_no_key(doctor: Doctor, gateways: dict[str, Gateway]) -> None:
    outcome = doctor.run("--gateway", gateways["langfuse"].url)
    assert outcome.problems() == {"gateway.key"}
    assert "does not answer without one" in outcome.text("gateway.key")
    assert "export LITELLM_PROXY_API_KEY=" in outcome.text("gateway.key")


def test_openai_s_key_is_not_sent_to_another_gateway(
    doctor: Doctor, gateways: dict[str, Gateway]
) -> None:
    gateway = gateways["langfuse"]
    named = doctor.with_(OPENAI_API_KEY=gateway.key)
    assert named.run("--gateway", gateway.url).problems() == {"gateway.key"}
    assert not named.with_(OPENAI_BASE_URL=f"{gateway.url}/v1").run().problems()


def test_the_key_may_be_in_a_variable_of_its_own(
    doctor: Doctor, gateways: dict[str, Gateway]
) -> None:
    gateway = gateways["langfuse"]
    named = doctor.of(gateway).with_(LITELLM_PROXY_API_KEY="sk-wrong", MINE=gateway.key)
    assert named.run().problems() == {"gateway.key"}
    assert not named.run("--key-variable", "MINE").problems()


@pytest.mark.parametrize("key", ["sk-wrong-and-long-enough-to-show", "sk-short"])
def test_a_wrong_key(doctor: Doctor, gateways: dict[str, Gateway], key: str) -> None:
    outcome = doctor.of(gateways["langfuse"]).with_(LITELLM_PROXY_API_KEY=key).run("--probe")
    assert outcome.problems() == {"gateway.key"}
    assert "(HTTP 400)" in outcome.text("gateway.key")
    assert ("sk-w…show" if len(key) > 16 else "****") in outcome.text("gateway.key")
    assert key not in outcome.output
    # Nothing was called, and it says so.
    assert outcome.state("probe.calls") == "unknown"


@pytest.mark.parametrize(
    ("release", "says"),
    [
        ("1.82.7", "a malicious release"),
        ("1.82.8", "a malicious release"),
        ("1.80.14", "older than 1.80.15"),
    ],
)
def test_a_bad_release(
    doctor: Doctor, gateways: dict[str, Gateway], release: str, says: str
) -> None:
    gateway = gateways["langfuse"]
    outcome = _rewritten(doctor, gateway, gateway.version, release)
    assert outcome.problems() == {"gateway.version"}
    assert says in outcome.text("gateway.version")


def test_a_gateway_that_reports_twice(doctor: Doctor, gateways: dict[str, Gateway]) -> None:
    logger = '"LangfusePromptManagement"'
    outcome = _rewritten(doctor, gateways["langfuse"], logger, f'{logger},"LangfuseOtelLogger"')
    assert outcome.problems() == {"gateway.callback"}
    assert "twice: langfuse and langfuse_otel" in outcome.text("gateway.callback")


@pytest.mark.parametrize("name", ["langfuse", "LangFuseLogger"])
def test_mode_langfuse_has_several_names(
    doctor: Doctor, gateways: dict[str, Gateway], name: str
) -> None:
    outcome = _rewritten(doctor, gateways["langfuse"], "LangfusePromptManagement", name)
    assert outcome.problems() == set()
    assert "in mode langfuse." in outcome.text("gateway.callback")
    assert "follows the application's" in outcome.text("gateway.sampling")


def test_a_logger_that_does_not_say_where_it_reports_to(
    doctor: Doctor, gateways: dict[str, Gateway]
) -> None:
    logger = "LangfuseContentOpenTelemetryV2"
    outcome = _rewritten(doctor, gateways["langfuse_otel_v2"], logger, "OpenTelemetryV2")
    assert outcome.problems() == set()
    assert outcome.state("gateway.callback") == "unknown"


def test_sampling_of_mode_langfuse_needs_a_newer_release(
    doctor: Doctor, gateways: dict[str, Gateway]
) -> None:
    gateway = gateways["langfuse"]
    outcome = _rewritten(doctor, gateway, gateway.version, "1.103.1")
    assert outcome.state("gateway.sampling") == "unknown"
    assert "before 1.104" in outcome.text("gateway.sampling")


def test_what_was_typed_is_not_advised(doctor: Doctor, gateways: dict[str, Gateway]) -> None:
    def answered(body: bytes) -> bytes:
        return body.replace(b'"success_callbacks"', b'"one"').replace(b'"litellm_version"', b'"v"')

    gateway = gateways["langfuse"]
    with between(gateway.url, answered=answered) as url:
        named = doctor.of(gateway).with_(LITELLM_PROXY_API_BASE=url)
        alone, probed = named.run(), named.run("--probe", "--model", "chat", "--wait", "30")
    for check in ("gateway.version", "gateway.callback"):
        assert "tracesplice doctor --probe" in alone.text(check)
        assert "tracesplice doctor --probe" not in probed.text(check)


def _rewritten(doctor: Doctor, gateway: Gateway, old: str, new: str) -> Outcome:
    def answered(body: bytes) -> bytes:
        return body.replace(old.encode(), new.encode())

    with between(gateway.url, answered=answered) as url:
        return doctor.of(gateway).with_(LITELLM_PROXY_API_BASE=url).run()


def test_the_adapter_is_added_in_the_mode_that_there_is(
    doctor: Doctor, gateways: dict[str, Gateway]
) -> None:
    outcome = _rewritten(doctor, gateways["langfuse"], '"_Adapter"', '"_Other"')
    assert outcome.problems() == {"gateway.adapter"}
    assert 'success_callback: ["langfuse"]' in outcome.text("gateway.adapter")
    assert 'langfuse_otel"' not in outcome.text("gateway.adapter")


def test_a_model_s_name_is_safe_to_copy(doctor: Doctor, gateways: dict[str, Gateway]) -> None:
    gateway = gateways["langfuse"]

    def answered(body: bytes) -> bytes:
        return body.replace(b'"id":"broken"', b'"id":"a; reboot\\u001b[2J"')

    with between(gateway.url, answered=answered) as url:
        named = doctor.of(gateway).with_(LITELLM_PROXY_API_BASE=url)
        assert "--model 'a; reboot\\x1b[2J'\n" in named.run("--probe").output


def test_a_fault_of_the_doctor_s_own_is_neither_fine_nor_a_finding(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_command, "see_gateway", None)
    outcome = doctor.run()
    assert outcome.code == 2
    assert "The doctor itself failed: TypeError" in outcome.output
    assert outcome.state("langfuse.keys") == "ok"
