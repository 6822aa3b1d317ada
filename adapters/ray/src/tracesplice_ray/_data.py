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
    in_context,
    unwrap_methods,
    warn_once,
    wrap_function,
    wrap_methods,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

__all__ = ["EXECUTOR", "PLANNER", "call_in_place", "hand_out_in_place", "undo"]

EXECUTOR = "ray.data._internal.execution.streaming_executor"
PLANNER = "ray.data._internal.planner.plan_udf_map_op"
# What it is called now, and was called before; they make a class whose objects are called so.
_IN_A_THREAD = ("make_callable_class_single_threaded", "make_callable_class_concurrent")
_CONTEXT = "_tracesplice_context"
_UNKNOWN = (
    "tracesplice: this release of Ray calls the classes of map_batches in a way of its own, so "
    "that their calls belong to no trace. Please report it."
)


def hand_out_in_place(module: ModuleType) -> None:
    """Let the executor's thread go on from where a dataset is executed."""
    wrap_methods(module.StreamingExecutor, {"execute": _execute, "run": _run})


def call_in_place(module: ModuleType) -> None:
    """Let the thread in which an object is called go on from the task that calls it."""
    names = [name for name in _IN_A_THREAD if name in vars(module)]
    if not names:
        warn_once("ray:data", _UNKNOWN)
    for name in names:
        setattr(module, name, wrap_function(vars(module)[name], _in_a_thread))


def undo() -> None:
    """Undo both, where they were done."""
    if EXECUTOR in sys.modules:
        unwrap_methods(sys.modules[EXECUTOR].StreamingExecutor, ["execute", "run"])
    planner = sys.modules.get(PLANNER)
    for name in _IN_A_THREAD:
        if planner is not None and name in vars(planner):
            setattr(planner, name, inspect.unwrap(vars(planner)[name]))


def _execute(wrapped: Callable[..., Any], executor: Any, args: Any, kwargs: Any) -> Any:
    setattr(executor, _CONTEXT, otel_context.get_current())
    return wrapped(*args, **kwargs)


def _run(wrapped: Callable[..., Any], executor: Any, args: Any, kwargs: Any) -> Any:
    context: Any = getattr(executor, _CONTEXT, None)
    with in_context(context or otel_context.get_current()):
        return wrapped(*args, **kwargs)


def _in_a_thread(wrapped: Callable[..., Any], _: Any, args: Any, kwargs: Any) -> Any:
    [kind, *more] = args
    return _outside(wrapped(_inside(kind), *more, **kwargs))


# Both travel to the workers by value, and name nothing of this package there.


def _inside(kind: Any) -> Any:
    class Inside(kind):  # type: ignore[misc]
        def __call__(self, *args: Any, _tracesplice: contextvars.Context, **kwargs: Any) -> Any:
            return _tracesplice.run(super().__call__, *args, **kwargs)

    return Inside


def _outside(kind: Any) -> Any:
    class Outside(kind):  # type: ignore[misc]
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return super().__call__(*args, _tracesplice=contextvars.copy_context(), **kwargs)

    return Outside
