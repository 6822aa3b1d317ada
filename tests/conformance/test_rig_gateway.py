"""The gateways of the rig: they report as asked to, fail once, and say why they do not start."""

import os

import pytest

from tracesplice_testing.gateway import Gateway, GatewayMode, GatewayStartError
from tracesplice_testing.model import ModelServer

LOGGERS = {
    GatewayMode.LANGFUSE: "LangfusePromptManagement",
    GatewayMode.LANGFUSE_OTEL: "LangfuseOtelLogger",
    GatewayMode.LANGFUSE_OTEL_V2: "LangfuseContentOpenTelemetryV2",
}
NOBODY = {"LANGFUSE_HOST": "http://127.0.0.1:9"}


def test_reports_the_way_it_was_asked_to(gateway: Gateway) -> None:
    assert LOGGERS[gateway.mode] in gateway.success_callbacks
    assert gateway.version[0].isdigit()


def test_a_fault_is_one_upstream_call(gateway: Gateway, model: ModelServer) -> None:
    body = {"messages": [{"role": "user", "content": f"flaky {gateway.mode.value}"}]}
    for name, statuses in (("broken", [500, 500]), ("flaky", [503, 200])):
        model.clear()
        replies = [gateway.post("/chat/completions", {"model": name, **body}) for _ in statuses]
        assert [reply.status for reply in replies] == statuses
        assert len(model.calls) == len(statuses)


def test_a_gateway_that_cannot_start_says_why() -> None:
    broken = Gateway(
        GatewayMode.LANGFUSE,
        langfuse_env=NOBODY,
        model_url=NOBODY["LANGFUSE_HOST"],
        extra_env={"LITELLM_LOG": "no-such-level"},
        config_extra={"general_settings": {"master_key": "sk-1234"}},
    )
    with pytest.raises(GatewayStartError, match="ended"), broken:
        pass
    assert broken.log()


def test_the_users_environment_stays_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "LANGFUSE_TRACING_ENVIRONMENT", "HTTP_PROXY"):
        monkeypatch.setenv(name, "theirs")
    gateway = Gateway(GatewayMode.LANGFUSE, langfuse_env=NOBODY, model_url="http://x")
    assert "theirs" not in gateway._env.values()
    assert gateway._env["PATH"] == os.environ["PATH"]
