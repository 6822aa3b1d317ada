"""Langfuse clients of the application, in every condition that they or their server may be in."""

from __future__ import annotations

import os
import secrets
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from unittest import mock

from langfuse import Langfuse
from opentelemetry.sdk.trace import TracerProvider

import tracesplice
from faults.conftest import NoExport
from faults.scripted import Reply, Scripted

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "SERVERS",
    "Langfuses",
    "disabled",
    "made_anew",
    "shut_down",
    "without_credentials",
    "without_tracing",
]

SERVERS: dict[str, Reply] = {
    "slow": Reply(held=True),
    "401": Reply(401, body=b'{"message": "no"}'),
    "413": Reply(413, body=b"too large"),
    "500": Reply(500, body=b"{}"),
    "garbage": Reply(body=b"\x00\xff<html>"),
}
"""What a Langfuse server answers to whatever it is sent."""

_KEYS = ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY")


class Langfuses:
    """Langfuse clients, each made when it is first asked for.

    Attributes:
        working: One that works, and exports nowhere.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._made: dict[str, Langfuse] = {}
        self.working = self.make()

    def close(self) -> None:
        self._stack.close()

    def make(self, public_key: str | None = None, **options: Any) -> Langfuse:
        """Make one that lasts."""
        defaults = {
            "public_key": public_key or f"pk-{secrets.token_hex(8)}",
            "secret_key": "sk-unused",
            "base_url": "http://127.0.0.1:9",
            "tracer_provider": TracerProvider(),
            "span_exporter": NoExport(),
            "mask_otel_spans": tracesplice.count_usage_once(),
            "timeout": 1,
        }
        made = Langfuse(**{**defaults, **options})
        self._stack.callback(made.shutdown)
        return made

    def with_server(self, name: str) -> Langfuse:
        """One whose server is down, or answers as ``SERVERS`` says."""
        if name in self._made:
            return self._made[name]
        url = "http://127.0.0.1:9"
        if name in SERVERS:
            server = Scripted()
            server.script([SERVERS[name]])
            self._stack.callback(server.stop)
            url = server.url
        self._made[name] = self.make(base_url=url, span_exporter=None, flush_at=1)
        return self._made[name]

    def kept(self, name: str, make: Callable[[Langfuses], Langfuse]) -> Langfuse:
        """One of another kind, which ``make`` makes once."""
        if name not in self._made:
            self._made[name] = make(self)
        return self._made[name]


def without_tracing(langfuses: Langfuses) -> Langfuse:
    return langfuses.make(tracing_enabled=False)


def disabled(langfuses: Langfuses) -> Langfuse:
    with mock.patch.dict(os.environ, OTEL_SDK_DISABLED="true"):
        return langfuses.make(tracer_provider=TracerProvider())


def without_credentials(langfuses: Langfuses) -> Langfuse:
    with mock.patch.dict(os.environ):
        for key in _KEYS:
            os.environ.pop(key, None)
        return Langfuse(mask_otel_spans=tracesplice.count_usage_once())


def shut_down(langfuses: Langfuses) -> Langfuse:
    made = langfuses.make()
    made.shutdown()
    return made


def made_anew(langfuses: Langfuses) -> Langfuse:
    key = f"pk-{secrets.token_hex(8)}"
    langfuses.make(key).shutdown()
    return langfuses.make(key)
