"""A Celery application whose tasks call a model, as a user has it."""

from __future__ import annotations

import os
from typing import Any

import langfuse
import langfuse.openai  # Langfuse's tracing of the OpenAI SDK
import openai
from celery import Celery, chain, chord, group, signals

import tracesplice
import tracesplice_celery

tracesplice_celery.install()

broker = os.environ["WORKERS_BROKER"]
app = Celery("workers", broker=broker, backend=broker)
# A task whose worker is killed runs again.
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    result_expires=600,
)
tracer = langfuse.Langfuse(mask_otel_spans=tracesplice.count_usage_once())
client = tracesplice.splice(
    openai.OpenAI(
        base_url=os.environ["LITELLM_PROXY_API_BASE"],
        api_key=os.environ["LITELLM_PROXY_API_KEY"],
    )
)


def _observe(**_: Any) -> None:
    with tracer.start_as_current_observation(name="outside of tasks"):
        pass


if "WORKERS_OBSERVE" in os.environ:
    # Each process of the pool; and the worker itself, which is the pool where that is no process.
    signals.worker_process_init.connect(_observe, weak=False)
    signals.worker_ready.connect(_observe, weak=False)


def call(question: str) -> str:
    """Ask the model inside a span of the task's own."""
    with tracer.start_as_current_observation(name="task", input=question):
        answer = client.chat.completions.create(
            model="chat", messages=[{"role": "user", "content": question}]
        )
        return str(answer.choices[0].message.content)


@app.task
def ask(question: str) -> str:
    """Ask once."""
    return call(question)


@app.task
def ask_next(_answer: object, question: str) -> str:
    """Ask after another task."""
    return call(question)


@app.task(bind=True, max_retries=3)
def ask_at_the_second_try(self: Any, question: str) -> str:
    """Fail once, then ask."""
    if not self.request.retries:
        with tracer.start_as_current_observation(name="failed try"):
            raise self.retry(countdown=0.1, exc=RuntimeError("not yet"))
    return call(question)


@app.task
def hand_on(question: str) -> None:
    """Hand the question to another task, in a span of its own."""
    with tracer.start_as_current_observation(name="hand on"):
        ask.delay(question)


WAYS: dict[str, Any] = {
    "delay": lambda q: ask.delay(q),
    "apply_async, with an ETA": lambda q: ask.apply_async((q,), countdown=0.2),
    "send_task": lambda q: app.send_task("workers.celery_app.ask", (q,)),
    "retry": lambda q: ask_at_the_second_try.delay(q),
    "from inside a task": lambda q: hand_on.delay(q),
    "chain": lambda q: chain(ask.s(q), ask_next.s(q))(),
    "group": lambda q: group(ask.s(q), ask.s(q))(),
    "chord": lambda q: chord([ask.s(q), ask.s(q)], ask_next.s(q))(),
    "eager": lambda q: ask.apply((q,)),
}
