"""`tracesplice doctor --probe` on real gateways: all is fine, and what can be wrong on the way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from doctor.between import between
from doctor.conftest import LIMITED
from tracesplice_cli._http import Answer
from tracesplice_cli.doctor._callbacks import Callbacks
from tracesplice_cli.doctor._judge import judge_calls
from tracesplice_cli.doctor._probe import WAYS, Call
from tracesplice_cli.doctor._read_back import Found
from tracesplice_wire import REPORTS, Link
from unit.judged_traces import made

if TYPE_CHECKING:
    from collections.abc import Callable

    from doctor.conftest import Doctor, Outcome
    from tracesplice_testing.gateway import Gateway
    from tracesplice_testing.recorder import Recorder

PROBE = ("--probe", "--model", "chat")
# What never comes is waited for this long.
SHORT = (*PROBE, "--wait", "4")
LONG = (*PROBE, "--wait", "30")


@pytest.mark.parametrize("mode", ["langfuse", "langfuse_otel", "langfuse_otel_v2"])
def test_all_is_fine(doctor: Doctor, gateways: dict[str, Gateway], mode: str) -> None:
    outcome = doctor.of(gateways[mode]).run(*LONG)
    others = {check for check, each in outcome.findings.items() if each["state"] != "ok"}
    # What sampler OpenTelemetry has in the gateway shows nowhere.
    assert others == (set() if mode == "langfuse" else {"gateway.sampling"}), outcome.output
    assert f"mode {mode}." in outcome.text("gateway.callback")
    assert {"probe.project", "probe.header", "probe.body", "gateway.adapter"} <= {*outcome.findings}
    assert outcome.code == 0


def test_a_gateway_without_a_callback(doctor: Doctor, gateways: dict[str, Gateway]) -> None:
    outcome = doctor.of(gateways["silent"]).run(*SHORT)
    assert outcome.problems() == {"gateway.callback", "probe.project"}
    for check in outcome.problems():
        assert '"langfuse_otel"' in outcome.text(check)
    assert "adapter says so, too" in outcome.text("probe.project")
    assert outcome.code == 1


def test_a_gateway_with_a_sampler_of_its_own(doctor: Doctor, gateways: dict[str, Gateway]) -> None:
    outcome = doctor.of(gateways["sampling"]).run(*SHORT)
    assert outcome.state("gateway.sampling") == "unknown"
    assert outcome.problems() == {"probe.project"}
    assert "adapter says that it reports them elsewhere, if at all" in outcome.text("probe.project")
    assert "SAMPLER" in outcome.text("probe.project")


def test_a_call_that_arrives_although_the_adapter_was_not_sure() -> None:
    link = Link(trace_id="ab" * 16, parent_id="cd" * 8)
    calls = [Call(way, link, Answer(200, {REPORTS: "false"}, b"")) for way in WAYS]
    where = Found(made("ef" * 8, link.parent_id, trace_id=link.trace_id), link.parent_id)
    found = judge_calls(calls, dict.fromkeys(WAYS, where), Callbacks(("langfuse",), True), 1)
    states = {each.check: each.state for each in found}
    assert states.pop("probe.counting") == "problem"
    assert {*states.values()} == {"ok"}


def test_a_gateway_without_the_adapter(doctor: Doctor, gateways: dict[str, Gateway]) -> None:
    outcome = doctor.of(gateways["plain"]).run(*LONG)
    assert outcome.problems() == {"gateway.adapter", "probe.body"}
    for check in outcome.problems():
        assert "pip install tracesplice-litellm" in outcome.text(check)
    assert outcome.state("gateway.sampling") == "unknown"


def test_a_key_that_may_only_call_models(doctor: Doctor, gateways: dict[str, Gateway]) -> None:
    limited = doctor.of(gateways["langfuse_otel"]).with_(LITELLM_PROXY_API_KEY=LIMITED)
    outcome = limited.run(*LONG)
    assert outcome.problems() == set()
    assert outcome.state("gateway.callback") == "unknown"
    assert "may not ask (HTTP 403)" in outcome.text("gateway.callback")
    # Seen in the answer to a call.
    assert f"LiteLLM {gateways['langfuse'].version}" in outcome.text("probe.version")
    assert outcome.code == 0


def test_a_key_that_may_not_ask_and_no_adapter(
    doctor: Doctor, gateways: dict[str, Gateway]
) -> None:
    gateway = gateways["plain"]
    with between(gateway.url, answered=_without_callbacks) as url:
        outcome = doctor.of(gateway).with_(LITELLM_PROXY_API_BASE=url).run(*LONG)
    assert outcome.state("gateway.callback") == "unknown"
    assert {"probe.adapter", "probe.body"} == outcome.problems()


def _without_callbacks(body: bytes) -> bytes:
    return body.replace(b'"success_callbacks"', b'"others"')


def test_a_proxy_that_strips_the_header(doctor: Doctor, gateways: dict[str, Gateway]) -> None:
    outcome = _through(doctor, gateways["langfuse"], lambda _: None)
    assert outcome.problems() == {"probe.header"}
    assert "stripped or rewritten" in outcome.text("probe.header")
    assert "joined by the body nevertheless" in outcome.text("probe.header")


def test_a_proxy_that_strips_the_header_of_a_gateway_without_adapter(
    doctor: Doctor, gateways: dict[str, Gateway]
) -> None:
    outcome = _through(doctor, gateways["plain"], lambda _: None)
    assert outcome.problems() == {"probe.header", "probe.body", "gateway.adapter"}
    assert "nevertheless" not in outcome.text("probe.header")


def test_a_proxy_that_puts_a_span_of_its_own_into_the_header(
    doctor: Doctor, gateways: dict[str, Gateway]
) -> None:
    def own_span(header: str) -> str:
        version, trace, _, flags = header.split("-")
        return f"{version}-{trace}-{'ab' * 8}-{flags}"

    outcome = _through(doctor, gateways["langfuse"], own_span)
    assert outcome.problems() == {"probe.header"}
    assert "another parent" in outcome.text("probe.header")


def test_a_proxy_that_strips_the_body(doctor: Doctor, gateways: dict[str, Gateway]) -> None:
    def without_ids(body: bytes) -> bytes:
        sent = json.loads(body)
        sent.get("litellm_metadata", {}).pop("existing_trace_id", None)
        return json.dumps(sent).encode()

    gateway = gateways["langfuse_otel_v2"]
    with between(gateway.url, body=without_ids) as url:
        outcome = doctor.of(gateway).with_(LITELLM_PROXY_API_BASE=url).run(*LONG)
    assert outcome.problems() == {"probe.body"}
    assert "dropped on the way" in outcome.text("probe.body")


def _through(doctor: Doctor, gateway: Gateway, change: Callable[[str], str | None]) -> Outcome:
    """Run it through a proxy that changes the header `traceparent`, or takes it away."""

    def sent(headers: dict[str, str]) -> dict[str, str]:
        value = change(headers.pop("traceparent")) if "traceparent" in headers else None
        return headers | ({"traceparent": value} if value else {})

    with between(gateway.url, sent=sent) as url:
        return doctor.of(gateway).with_(LITELLM_PROXY_API_BASE=url).run(*LONG)


@pytest.mark.parametrize("name", ["langfuse_otel", "plain"])
def test_two_projects(
    doctor: Doctor, gateways: dict[str, Gateway], recorder: Recorder, name: str
) -> None:
    recorder.add_project("pk-lf-another-project", "sk-lf-another-project")
    keys = {
        "LANGFUSE_PUBLIC_KEY": "pk-lf-another-project",
        "LANGFUSE_SECRET_KEY": "sk-lf-another-project",
    }
    outcome = doctor.of(gateways[name]).with_(**keys).run(*SHORT)
    assert "probe.project" in outcome.problems()
    assert "LANGFUSE_PUBLIC_KEY" in outcome.text("probe.project")
    assert "no-log" in outcome.text("probe.project")
    assert "SAMPLE" in outcome.text("probe.project")
    assert ("adapter says that" in outcome.text("probe.project")) == (name == "langfuse_otel")


def test_it_asks_which_model(doctor: Doctor, gateways: dict[str, Gateway]) -> None:
    outcome = doctor.of(gateways["langfuse"]).run("--probe")
    assert outcome.code == 2
    assert "tracesplice doctor --probe --model chat\n" in outcome.output
    # What was found before is shown all the same.
    assert outcome.state("gateway.key") == "ok"
    assert "Nothing to mend" not in doctor.of(gateways["langfuse"]).show("--probe")


def test_a_model_s_name_is_none_where_it_stands_for_many(
    doctor: Doctor, gateways: dict[str, Gateway]
) -> None:
    gateway = gateways["langfuse"]
    with between(gateway.url, answered=_with_models("chat", "openai/*")) as url:
        named = doctor.of(gateway).with_(LITELLM_PROXY_API_BASE=url)
        assert named.run("--probe", "--wait", "30").state("probe.body") == "ok"
    with between(gateway.url, answered=_with_models("chat", "broken", "openai/*")) as url:
        text = doctor.of(gateway).with_(LITELLM_PROXY_API_BASE=url).run("--probe").output
        assert "--model chat\n" in text
        assert "openai/*" not in text
    with between(gateway.url, answered=_with_models("openai/*")) as url:
        outcome = doctor.of(gateway).with_(LITELLM_PROXY_API_BASE=url).run("--probe")
    assert outcome.code == 2
    assert "names none" in outcome.output
    assert "tracesplice doctor --probe --model NAME\n" in outcome.output


def test_a_key_that_may_call_no_model(doctor: Doctor, gateways: dict[str, Gateway]) -> None:
    gateway = gateways["langfuse"]
    with between(gateway.url, answered=_with_models()) as url:
        named = doctor.of(gateway).with_(LITELLM_PROXY_API_BASE=url)
        outcome = named.run("--probe")
        assert outcome.code == 2
        assert "names none" in outcome.output
        assert "tracesplice doctor --probe --model NAME\n" in outcome.output
        assert named.run(*LONG).state("probe.body") == "ok"


def _with_models(*names: str) -> Callable[[bytes], bytes]:
    def answered(body: bytes) -> bytes:
        found = json.loads(body)
        if "data" in found:
            found["data"] = [{"id": name, "object": "model"} for name in names]
        return json.dumps(found).encode()

    return answered


def test_it_waits_for_no_negative_time(doctor: Doctor) -> None:
    assert doctor.run("--wait", "-1").code == 2


def test_a_model_that_fails(doctor: Doctor, gateways: dict[str, Gateway]) -> None:
    outcome = doctor.of(gateways["langfuse"]).run("--probe", "--model", "broken")
    assert outcome.problems() == {"probe.header"}
    assert "HTTP 500" in outcome.text("probe.header")
