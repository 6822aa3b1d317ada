"""The gateways of the rig: all three start, answer with each model, and leave nothing behind.

After the tables, which what these calls report would get in the way of.
"""

import http.server
import json
import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from rig.gateway import Gateway, GatewayMode, GatewayStartError
from rig.gateway._process import find_venv
from rig.model import ModelServer

pytestmark = pytest.mark.skipif(
    not (find_venv() / "bin" / "litellm").exists(), reason="no gateway virtualenv: make install"
)

LOGGERS = {
    GatewayMode.LANGFUSE: "LangfusePromptManagement",
    GatewayMode.LANGFUSE_OTEL: "LangfuseOtelLogger",
    GatewayMode.LANGFUSE_OTEL_V2: "LangfuseContentOpenTelemetryV2",
}
SAYS_HI: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}]}
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("chat", "/chat/completions", SAYS_HI),
    ("openai-chat", "/chat/completions", SAYS_HI),
    ("mock", "/chat/completions", SAYS_HI),
    ("chat", "/responses", {"input": "hi"}),
    ("openai-chat", "/responses", {"input": "hi"}),
    ("completion", "/completions", {"prompt": "hi"}),
    ("openai-completion", "/completions", {"prompt": "hi"}),
    ("embed", "/embeddings", {"input": "hi"}),
    ("openai-embed", "/embeddings", {"input": "hi"}),
    ("image", "/images/generations", {"prompt": "hi"}),
    ("speech", "/audio/speech", {"input": "hi", "voice": "alloy"}),
    ("moderate", "/moderations", {"input": "hi"}),
    ("chat", "/openai/deployments/chat/chat/completions", SAYS_HI),
]


class Sink(http.server.BaseHTTPRequestHandler):
    """Takes what the gateways report and forgets it."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def langfuse_env() -> Iterator[dict[str, str]]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink) as sink:
        thread = threading.Thread(target=sink.serve_forever, daemon=True)
        thread.start()
        host = f"http://127.0.0.1:{sink.server_port}"
        yield {
            "LANGFUSE_HOST": host,
            "LANGFUSE_PUBLIC_KEY": "pk-lf-rig",
            "LANGFUSE_SECRET_KEY": "sk-lf-rig",
        }
        sink.shutdown()
        thread.join()


@pytest.fixture(params=GatewayMode, ids=lambda mode: mode.value)
def gateway(request: pytest.FixtureRequest, gateways: dict[GatewayMode, Gateway]) -> Gateway:
    return gateways[request.param]


def test_reports_the_way_it_was_asked_to(gateway: Gateway) -> None:
    assert LOGGERS[gateway.mode] in gateway.success_callbacks
    assert gateway.version[0].isdigit()


@pytest.mark.parametrize(("name", "path", "body"), CALLS)
def test_each_model_answers(gateway: Gateway, name: str, path: str, body: dict[str, Any]) -> None:
    reply = gateway.post(path, {"model": name, **body})
    assert reply.status == 200, reply.body
    assert reply.body


def test_answers_are_the_models_and_cost_something(gateway: Gateway) -> None:
    reply = gateway.post("/chat/completions", {"model": "chat", **SAYS_HI})
    assert reply.json["choices"][0]["message"]["content"] == "echo: hi"
    assert reply.json["usage"]["total_tokens"] == 3
    assert float(reply.headers["x-litellm-response-cost"]) == pytest.approx(5e-6)


def test_streams(gateway: Gateway) -> None:
    reply = gateway.post("/chat/completions", {"model": "chat", "stream": True, **SAYS_HI})
    lines = [line[6:] for line in reply.body.decode().splitlines() if line.startswith("data: {")]
    texts = [json.loads(line)["choices"][0]["delta"].get("content") or "" for line in lines]
    assert "".join(texts) == "echo: hi"


def test_calls_tools(gateway: Gateway) -> None:
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
    tool = {"type": "function", "function": {"name": "weather", "parameters": parameters}}
    reply = gateway.post("/chat/completions", {"model": "tools", "tools": [tool], **SAYS_HI})
    call = reply.json["choices"][0]["message"]["tool_calls"][0]["function"]
    assert (call["name"], json.loads(call["arguments"])) == ("weather", {"city": "city"})


def test_fills_a_schema(gateway: Gateway) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    asked = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}
    body = {"model": "chat", "response_format": asked, **SAYS_HI}
    content = gateway.post("/chat/completions", body).json["choices"][0]["message"]["content"]
    assert json.loads(content) == {"n": 1}


def test_a_fault_is_one_upstream_call(gateway: Gateway, model: ModelServer) -> None:
    body = {"messages": [{"role": "user", "content": f"flaky {gateway.mode.value}"}]}
    for name, statuses in (("broken", [500, 500]), ("flaky", [503, 200])):
        model.clear()
        replies = [gateway.post("/chat/completions", {"model": name, **body}) for _ in statuses]
        assert [reply.status for reply in replies] == statuses
        assert len(model.calls) == len(statuses)


def test_a_gateway_that_cannot_start_says_why(langfuse_env: dict[str, str]) -> None:
    broken = Gateway(
        GatewayMode.LANGFUSE,
        langfuse_env=langfuse_env,
        model_url="http://127.0.0.1:9",
        extra_env={"LITELLM_LOG": "no-such-level"},
        config_extra={"general_settings": {"master_key": "sk-1234"}},
    )
    with pytest.raises(GatewayStartError, match="ended"), broken:
        pass
    assert broken.log()


def test_the_users_environment_stays_out(
    monkeypatch: pytest.MonkeyPatch, langfuse_env: dict[str, str]
) -> None:
    for name in ("OPENAI_API_KEY", "LANGFUSE_TRACING_ENVIRONMENT", "HTTP_PROXY"):
        monkeypatch.setenv(name, "theirs")
    gateway = Gateway(GatewayMode.LANGFUSE, langfuse_env=langfuse_env, model_url="http://x")
    assert "theirs" not in gateway._env.values()
    assert gateway._env["PATH"] == os.environ["PATH"]
