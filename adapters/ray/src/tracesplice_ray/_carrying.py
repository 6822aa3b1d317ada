"""Functions that take a carrier after their arguments.

What is made here travels to the workers by value, inside of Ray's task or actor class. So a worker
needs nothing set up for it, and one without this package runs the user's function alone: what is
written into the functions below names nothing of this package but by an import at work.
"""

from __future__ import annotations

import inspect
import warnings
from contextlib import suppress
from typing import Any

__all__ = ["CARRIER", "carrying", "is_carrying", "takes_carrier"]

CARRIER = b"tracesplice:"
"""How a carrier begins; its text follows. It is bytes, as Ray passes them on as they are."""

_MARK = "__tracesplice_carrying__"
# Never said by name: a function's signature is all that other processes know of an actor's method.
_PARAMETER = inspect.Parameter("_tracesplice", inspect.Parameter.KEYWORD_ONLY, default=None)


def is_carrying(function: Any) -> bool:
    """Return whether ``function`` takes a carrier."""
    return getattr(function, _MARK, False) is True


def takes_carrier(parameters: list[inspect.Parameter]) -> bool:
    """Return whether a function of these parameters, as Ray keeps them, takes a carrier."""
    # Only one of keywords may come after it.
    return any(each.name == _PARAMETER.name for each in parameters[-2:])


def carrying(function: Any) -> Any:
    """Return ``function``, of the same kind, so that it takes a carrier.

    Args:
        function: A function, also one that makes a coroutine or a generator.
    """
    inner = inspect.unwrap(function)  # Ray asks it for the signature, and for what is set on it
    carried: Any = _of_kind(function, inner)
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(carried, name, getattr(function, name, None))
    vars(carried).update({**vars(inner), **vars(function), _MARK: True})
    vars(carried).pop("__wrapped__", None)
    carried.__signature__ = _marked(inspect.signature(inner))
    return carried


def _marked(signature: inspect.Signature) -> inspect.Signature:
    given = list(signature.parameters.values())
    at = len(given) - (bool(given) and given[-1].kind is inspect.Parameter.VAR_KEYWORD)
    return signature.replace(parameters=[*given[:at], _PARAMETER, *given[at:]])


def _of_kind(function: Any, inner: Any) -> Any:
    if inspect.iscoroutinefunction(function):
        return _coroutine_function(function, _runner())
    if inspect.isasyncgenfunction(function):
        return _async_generator_function(function, _runner())
    if inspect.isgeneratorfunction(inner):
        return _generator_function(function, _runner())
    return _function(function, _runner())


def _runner() -> Any:
    def run(how: str, function: Any, args: Any, kwargs: Any) -> Any:
        try:
            from tracesplice_ray import _work
        except Exception as error:  # noqa: BLE001  (of whatever is other than in the driver)
            with suppress(Warning):  # where warnings are errors
                warnings.warn(
                    "tracesplice: this Ray worker cannot load tracesplice-ray "
                    f"({type(error).__name__}: {error}), so its tasks belong to no trace. Install "
                    "tracesplice[ray] on the workers, too, in the same versions.",
                    stacklevel=2,
                )
            is_carrier = args and type(args[-1]) is bytes and args[-1].startswith(CARRIER)
            return function(*args[: len(args) - bool(is_carrier)], **kwargs)
        return getattr(_work, how)(function, args, kwargs)

    return run


def _function(function: Any, run: Any) -> Any:
    def carried(*args: Any, **kwargs: Any) -> Any:
        return run("call", function, args, kwargs)

    return carried


def _coroutine_function(function: Any, run: Any) -> Any:
    async def carried(*args: Any, **kwargs: Any) -> Any:
        return await run("acall", function, args, kwargs)

    return carried


def _generator_function(function: Any, run: Any) -> Any:
    def carried(*args: Any, **kwargs: Any) -> Any:
        return (yield from run("call", function, args, kwargs))

    return carried


def _async_generator_function(function: Any, run: Any) -> Any:
    async def carried(*args: Any, **kwargs: Any) -> Any:
        items, sent = run("call", function, args, kwargs), None
        try:
            while True:
                sent = yield await items.asend(sent)
        except StopAsyncIteration:
            return
        finally:
            await items.aclose()

    return carried
