"""Calls in Celery tasks: each is in the trace of the span that handed the tasks out.

The broker is Redis: REDIS_URL says where, redis://localhost:6379 if it is left out. Normally a
worker runs elsewhere: ``celery -A spreading_celery worker``. This program starts one of its own.
"""

import os
import subprocess
import sys
from pathlib import Path

import celery
import kombu.exceptions
import langfuse
import langfuse.openai  # Langfuse's tracing of the OpenAI SDK
import openai

import tracesplice
import tracesplice_celery

tracesplice_celery.install()  # for what hands out tasks, and for the worker
redis = os.environ.get("REDIS_URL", "redis://localhost:6379")
app = celery.Celery("spreading_celery", broker=redis, backend=redis)
app.conf.broker_connection_retry_on_startup = True

tracer = langfuse.Langfuse(mask_otel_spans=tracesplice.count_usage_once())
client = tracesplice.splice(
    openai.OpenAI(
        base_url=os.environ["LITELLM_PROXY_API_BASE"],
        api_key=os.environ["LITELLM_PROXY_API_KEY"],
    )
)


@app.task(name="ask")
def ask(question: str) -> str | None:
    """Make one call, inside a span of the task's own."""
    with tracer.start_as_current_observation(name="task", input=question):
        answer = client.chat.completions.create(
            model=os.environ.get("TRACESPLICE_MODEL", "chat"),
            messages=[{"role": "user", "content": question}],
        )
        return answer.choices[0].message.content


def check_redis() -> None:
    """Say what to type where no Redis answers."""
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1)
    except kombu.exceptions.OperationalError as error:
        sys.exit(f"There is no Redis: {error}\nType: redis-server &")


def main() -> None:
    """Hand out three tasks, and print what the worker answered."""
    check_redis()
    print("Starting a worker ...", file=sys.stderr)
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-q", "-A", "spreading_celery", "worker", "-c2"],
        cwd=Path(__file__).parent,
    )
    try:
        with (
            tracer.start_as_current_observation(name="celery"),
            langfuse.propagate_attributes(user_id="ada", session_id="monday"),
        ):
            tasks = [ask.delay(text) for text in ("Say one.", "Say two.", "Say three.")]
        for task in tasks:
            print(task.get(timeout=60), flush=True)
    finally:
        worker.terminate()
        worker.wait()
        tracer.flush()


if __name__ == "__main__":
    main()
