"""The Celery application of `celery_tasks.py`, which its workers load."""

from __future__ import annotations

import os

from celery import Celery
from langfuse import Langfuse
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tracesplice_celery

__all__ = ["application", "langfuse"]

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


app = application(os.environ.get("BENCH_BROKER"))
if os.environ.get("BENCH_INSTALL"):
    tracesplice_celery.install()
