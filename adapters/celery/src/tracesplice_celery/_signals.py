"""Takes the place of a task along, from where it is handed out to the worker that runs it.

By Celery's own signals: https://docs.celeryq.dev/en/stable/userguide/signals.html. A carrier is a
header of the message, under a name of its own: an instrumentation of Celery may rewrite
``traceparent``. Celery sends the headers of a task again when it is retried, so that each attempt
goes on from where the task was handed out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celery import signals

from tracesplice.adapter import (
    capture_text,
    flush_observations,
    guarded,
    resume,
    resume_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

__all__ = ["install", "uninstall"]

_HEADER = "tracesplice"
_RESUMED = "_tracesplice_resumed"


def install() -> None:
    """Let tasks go on in the trace that they were handed out in.

    Type it in the module that makes the Celery app, which both the worker and what hands out tasks
    import. A task's observations and calls then belong to the trace, under the observation that was
    current at ``delay`` or ``apply_async``, with its user, session, tags and prompt. What a worker
    observed is sent to Langfuse at the end of each task. Idempotent.
    """
    for signal, receiver in _RECEIVERS:
        signal.connect(receiver, weak=False, dispatch_uid=_uid(receiver))


def uninstall() -> None:
    """Undo ``install``."""
    for signal, receiver in _RECEIVERS:
        signal.disconnect(receiver, dispatch_uid=_uid(receiver))


def _publish(headers: MutableMapping[str, Any] | None = None, **_: Any) -> None:
    if headers is None or _HEADER in headers:
        return  # a retry, or the caller's own
    text = capture_text()
    if text is not None:
        headers[_HEADER] = text


@guarded("the place that a Celery task belongs to")
def _begin(task: Any, **_: Any) -> None:
    request = task.request
    carrier = (request.headers or {}).get(_HEADER)
    if carrier is None:
        return  # handed out by something else, or run where it was called
    # A caller's own may be a dict.
    resumed = resume_text(carrier) if type(carrier) is str else resume(carrier)
    resumed.__enter__()
    # Celery's object for this run of the task: nothing else is shared by begin and end.
    setattr(request, _RESUMED, resumed)


@guarded("the end of a Celery task")
def _end(task: Any, **_: Any) -> None:
    request = task.request
    resumed = vars(request).pop(_RESUMED, None)
    if resumed is not None:
        resumed.__exit__(None, None, None)
    if not request.is_eager:
        flush_observations()


def _stop(**_: Any) -> None:
    # What was observed outside of tasks: a process of a pool ends without Python's `atexit`, at
    # which Langfuse's SDK sends it from the worker itself.
    flush_observations(last=True)


_RECEIVERS: tuple[tuple[Any, Callable[..., None]], ...] = (
    (signals.before_task_publish, _publish),
    (signals.task_prerun, _begin),
    (signals.task_postrun, _end),
    (signals.worker_process_shutdown, _stop),
)


def _uid(receiver: Callable[..., None]) -> str:
    return f"tracesplice{receiver.__name__}"
