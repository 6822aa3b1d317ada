"""The Celery application of `celery_tasks.py`, which its workers load."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from celery import Celery, signals
from langfuse import Langfuse
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tracesplice_celery

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["INSTALLED", "application", "langfuse"]

langfuse = Langfuse(
    public_key="pk-bench",
    secret_key="sk-bench",
    base_url="http://127.0.0.1:9",
    span_exporter=InMemorySpanExporter(),
)


def application(broker: str | None) -> Celery:
    """Return an application with one task, which does nothing."""
    made = Celery("bench", broker=broker)
    # Redis has a task until it is done.
    made.conf.update(task_ignore_result=True, task_acks_late=True)
    made.task(name="empty")(_empty)
    return made


def _empty() -> None:
    pass


@contextmanager
def nothing() -> Iterator[None]:
    """Take nothing along."""
    yield


@contextmanager
def places() -> Iterator[None]:
    """Take places along."""
    tracesplice_celery.install()
    yield
    tracesplice_celery.uninstall()


@contextmanager
def signals_alone() -> Iterator[None]:
    """Do no more than what any way by Celery's signals does: a text goes along, nobody reads it."""
    receivers = (
        (signals.before_task_publish, _send),
        (signals.task_prerun, _ignore),
        (signals.task_postrun, _ignore),
    )
    for signal, receiver in receivers:
        signal.connect(receiver)
    yield
    for signal, receiver in receivers:
        signal.disconnect(receiver)


def _send(headers: dict[str, Any], **_: Any) -> None:
    headers["text"] = _TEXT


def _ignore(**_: Any) -> None:
    pass


_TEXT = "x" * 327  # as long as a carrier
INSTALLED = {each.__name__: each for each in (nothing, places, signals_alone)}

app = application(os.environ.get("BENCH_BROKER"))
INSTALLED[os.environ.get("BENCH_INSTALLED", "nothing")]().__enter__()
