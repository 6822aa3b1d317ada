"""What a program runs on: Langfuse, a gateway and a model, each real or a stand-in."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langfuse import Langfuse
from langfuse.api import NotFoundError
from langfuse.api.core import ApiError
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

import tracesplice
from rig.demo._checks import (
    check_gateway,
    check_langfuse,
    check_ollama,
)
from rig.demo._progress import step
from rig.demo._settings import DemoError, Server
from tracesplice_testing.gateway import Gateway, GatewayMode, GatewayStartError
from tracesplice_testing.model import ModelServer
from tracesplice_testing.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langfuse.model import ChatPromptClient
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Span
    from rich.console import Console

    from rig.demo._settings import Settings

__all__ = ["AppSpans", "Stage", "set_up"]

_PROMPT = "tracesplice-demo"
_MESSAGES: Any = [
    {"role": "system", "content": "You answer in one short sentence."},
    {"role": "user", "content": "{{question}}"},
]


class AppSpans(SpanProcessor):
    """Knows what the application made itself."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.trace_ids: dict[str, None] = {}

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        self.ids.add(f"{span.context.span_id:016x}")
        self.trace_ids[f"{span.context.trace_id:032x}"] = None


@dataclass(frozen=True)
class Stage:
    """Everything a run needs."""

    settings: Settings
    langfuse: Langfuse
    server: Server
    app: AppSpans
    gateway: Server
    model: str
    prompt: ChatPromptClient


@contextmanager
def set_up(settings: Settings, mode: GatewayMode, console: Console) -> Iterator[Stage]:
    """Check what is real, start the rest, and stop that again.

    Raises `DemoError` if something is not there.
    """
    _reach_loopback_directly()
    if settings.langfuse is not None:
        with step(console, f"Asking Langfuse at {settings.langfuse.url}"):
            check_langfuse(settings.langfuse)
    with Recorder() as recorder, ModelServer() as model_server:
        server = settings.langfuse or Server(recorder.url, recorder.public_key, recorder.secret_key)
        with _gateway(settings, server, model_server.url, mode, console) as gateway:
            app = AppSpans()
            langfuse = _langfuse(server, app)
            try:
                prompt = _prompt(langfuse)
                yield Stage(settings, langfuse, server, app, *gateway, prompt)
            finally:
                langfuse.shutdown()


@contextmanager
def _gateway(
    settings: Settings, langfuse: Server, stand_in: str, mode: GatewayMode, console: Console
) -> Iterator[tuple[Server, str]]:
    """The gateway, and the model to call."""
    if settings.gateway is not None:
        with step(console, f"Asking the gateway at {settings.gateway.url}"):
            model = check_gateway(settings.gateway, settings.model)
        yield settings.gateway, model
        return
    model, models = "chat", []
    if settings.ollama is not None:
        with step(console, f"Asking Ollama at {settings.ollama}"):
            model = check_ollama(settings.ollama, settings.model)
        params = {"model": f"ollama_chat/{model}", "api_base": settings.ollama}
        models = [{"model_name": model, "litellm_params": params}]
    started = Gateway(
        mode,
        langfuse_env=_environment(langfuse),
        model_url=stand_in,
        config_extra={"model_list": models},
        adapter=True,
    )
    try:
        with step(console, f"Starting a LiteLLM gateway in mode {mode.value}", "(about 15 s)"):
            started.start()
            started.wait_ready()
        yield Server(started.url, secret_key=started.key), model
    except GatewayStartError as error:
        raise DemoError(str(error)) from None
    finally:
        started.stop()


def _environment(langfuse: Server) -> dict[str, str]:
    return {
        "LANGFUSE_HOST": langfuse.url,
        "LANGFUSE_BASE_URL": langfuse.url,
        "LANGFUSE_PUBLIC_KEY": langfuse.public_key,
        "LANGFUSE_SECRET_KEY": langfuse.secret_key,
    }


def _langfuse(server: Server, app: AppSpans) -> Langfuse:
    provider = TracerProvider()
    provider.add_span_processor(app)
    trace.set_tracer_provider(provider)  # an instrumentor's spans go where Langfuse's go
    return Langfuse(
        base_url=server.url,
        public_key=server.public_key,
        secret_key=server.secret_key,
        tracer_provider=provider,
        tracing_enabled=True,
        sample_rate=1.0,
        # Both runs have it; it leaves alone what is not linked.
        mask_otel_spans=tracesplice.count_usage_once(),
    )


def _prompt(langfuse: Langfuse) -> ChatPromptClient:
    """The demo's prompt, created where it is not there yet."""
    try:
        if not _exists(langfuse):
            langfuse.create_prompt(
                name=_PROMPT, type="chat", prompt=_MESSAGES, labels=["production"]
            )
        return langfuse.get_prompt(_PROMPT, type="chat")
    except ApiError as error:
        raise DemoError(
            f"Langfuse does not give the prompt {_PROMPT!r} (HTTP {error.status_code}). Create it "
            "there as a chat prompt with the label production and the variable question."
        ) from None


def _exists(langfuse: Langfuse) -> bool:
    try:
        langfuse.api.prompts.get(_PROMPT)
    except NotFoundError:
        return False
    return True


def _reach_loopback_directly() -> None:
    # An HTTP proxy in the environment cannot reach the stand-ins.
    for name in ("NO_PROXY", "no_proxy"):
        kept = [os.environ[name]] if os.environ.get(name) else []
        os.environ[name] = ",".join([*kept, "127.0.0.1", "localhost"])
