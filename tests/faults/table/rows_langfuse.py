"""Rows: what Langfuse's server, and the application's Langfuse client, may do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from faults.scripted import Reply
from faults.table import langfuses
from faults.table.stage import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langfuse import Langfuse

    from faults.table.langfuses import Langfuses
    from faults.table.stage import Stage

__all__ = ["ROWS"]


def server(name: str) -> Callable[[Stage], Any]:
    @contextmanager
    def around(stage: Stage) -> Iterator[Any]:
        yield stage.langfuses.with_server(name)

    return around


def client(make: Callable[[Langfuses], Langfuse]) -> Callable[[Stage], Any]:
    @contextmanager
    def around(stage: Stage) -> Iterator[Any]:
        yield stage.langfuses.kept(make.__name__, make)

    return around


def anew(make: Callable[[Langfuses], Langfuse]) -> Callable[[Stage], Any]:
    @contextmanager
    def around(stage: Stage) -> Iterator[Any]:
        made = make(stage.langfuses)
        yield made
        made.shutdown()

    return around


@contextmanager
def shut_down_meanwhile(stage: Stage) -> Iterator[Any]:
    made = stage.langfuses.make()
    stage.gateway.script([Reply(before=made.shutdown)])
    yield made


@contextmanager
def nobody(_: Stage) -> Iterator[None]:
    yield None


ROWS = {
    "down": Fault("Langfuse is down.", around=server("down")),
    "slow": Fault("Langfuse does not answer.", around=server("slow")),
    "401": Fault("Langfuse answers 401.", around=server("401")),
    "413": Fault("Langfuse answers 413.", around=server("413")),
    "500": Fault("Langfuse answers 500.", around=server("500")),
    "garbage": Fault("Langfuse answers garbage.", around=server("garbage")),
    "shut down": Fault("The Langfuse client was shut down.", around=anew(langfuses.shut_down)),
    "shut down meanwhile": Fault(
        "The Langfuse client is shut down while the gateway is at work.", around=shut_down_meanwhile
    ),
    "made anew": Fault(
        "The Langfuse client was shut down and made anew.", around=anew(langfuses.made_anew)
    ),
    "no tracing": Fault(
        "Tracing is switched off (`tracing_enabled=False`).",
        around=client(langfuses.without_tracing),
        linked=False,
    ),
    "disabled": Fault(
        "OpenTelemetry is switched off (`OTEL_SDK_DISABLED`).",
        around=client(langfuses.disabled),
        linked=False,
    ),
    "no credentials": Fault(
        "There are no credentials for Langfuse.",
        around=client(langfuses.without_credentials),
        linked=False,
    ),
    "none": Fault("There is no Langfuse client, and no span.", around=nobody, linked=False),
}
