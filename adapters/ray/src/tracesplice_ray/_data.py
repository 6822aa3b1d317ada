"""Takes the place along in which a dataset of ``ray.data`` is executed.

Two threads are on the way: the executor, which hands out the tasks, and one in each worker, in
which ``ray.data`` calls an object that ``map_batches`` made of a class. See
https://github.com/ray-project/ray/tree/master/python/ray/data/_internal, ``execution`` and
``planner``.
"""

from __future__ import annotations

import contextvars
import inspect
import sys
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context

from tracesplice.adapter import (
    guarded,
    in_context,
    unwrap_methods,
    warn_once,
    when_imported,
    wrap_methods,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["EXECUTOR", "PLANNER", "install", "uninstall"]

EXECUTOR = "ray.data._internal.execution.streaming_executor"
PLANNER = "ray.data._internal.planner.plan_udf_map_op"
# What it is called now, and was called before; they make a class whose objects are called so.
_IN_A_THREAD = ("make_callable_class_single_threaded", "make_callable_class_concurrent")
_CONTEXT = "_tracesplice_context"
_LOST = "the place of what ray.data calls"
_UNKNOWN = (
    "tracesplice: this release of Ray calls the classes of map_batches in a way of its own, so "
    "that their calls belong to no trace. Please report it."
)

_installed = False


def install() -> None:
    """Take it along, now or once ``ray.data`` is imported; twice is once."""
    global _installed
    _installed = True
    for module, wrap in ((EXECUTOR, _wrap_executor), (PLANNER, _wrap_planner)):
        when_imported(module, wrap)
        if module in sys.modules:  # and was before `uninstall`
            wrap(sys.modules[module])


def uninstall() -> None:
    """Undo ``install``."""
    global _installed
    _installed = False
    executor: Any = sys.modules.get(EXECUTOR)
    if executor is not None:
        unwrap_methods(executor.StreamingExecutor, ["execute", "run"])
    planner: Any = sys.modules.get(PLANNER)
    if planner is not None:
        unwrap_methods(planner, _IN_A_THREAD)


@guarded(_LOST)
def _wrap_executor(module: Any) -> None:
    # Its thread goes on from where a dataset is executed.
    if _installed:
        wrap_methods(module.StreamingExecutor, {"execute": _execute, "run": _run})


@guarded(_LOST)
def _wrap_planner(module: Any) -> None:
    # The thread in which an object is called goes on from the task that calls it.
    if not _installed:
        return
    names = [name for name in _IN_A_THREAD if name in vars(module)]
    wrap_methods(module, dict.fromkeys(names, _in_a_thread))
    if not names:
        warn_once("ray:data", _UNKNOWN)


def _execute(wrapped: Callable[..., Any], executor: Any, args: Any, kwargs: Any) -> Any:
    setattr(executor, _CONTEXT, otel_context.get_current())
    return wrapped(*args, **kwargs)


def _run(wrapped: Callable[..., Any], executor: Any, args: Any, kwargs: Any) -> Any:
    context: Any = getattr(executor, _CONTEXT, None)
    with in_context(context or otel_context.get_current()):
        return wrapped(*args, **kwargs)


def _in_a_thread(wrapped: Callable[..., Any], _: Any, args: Any, kwargs: Any) -> Any:
    given = _with_inside(wrapped, args, kwargs)
    if given is None:
        return wrapped(*args, **kwargs)
    kind = wrapped(*given.args, **given.kwargs)
    return _outside(kind) or kind


@guarded(_LOST)
def _with_inside(function: Any, args: Any, kwargs: Any) -> inspect.BoundArguments:
    given = inspect.signature(function).bind(*args, **kwargs)
    first = next(iter(given.arguments))
    given.arguments[first] = _inside(given.arguments[first])
    return given


# Both travel to the workers by value, and name nothing of this package there.


def _inside(kind: Any) -> Any:
    class Inside(kind):  # type: ignore[misc]
        def __call__(self, *args: Any, _tracesplice: Any = None, **kwargs: Any) -> Any:
            call = super().__call__
            if _tracesplice is None:
                return call(*args, **kwargs)
            return _tracesplice.run(call, *args, **kwargs)

    return Inside


@guarded(_LOST)
def _outside(kind: Any) -> Any:
    class Outside(kind):  # type: ignore[misc]
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return super().__call__(*args, _tracesplice=contextvars.copy_context(), **kwargs)

    return Outside
