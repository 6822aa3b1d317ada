"""Objects that have no OpenAI client when they are spliced, and the methods in which they get one.

Such an object is marked, and its copies have the mark too. What makes a client for it splices that
client. Where none can be seen, as LiteLLM makes it, the calls of the object are linked by whatever
client they are made.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, asynccontextmanager
from inspect import isasyncgen, iscoroutine, isgenerator
from typing import TYPE_CHECKING, Any

import tracesplice_openai
from tracesplice.adapter import afirst_read_in, calling, first_read_in, guarded, wrap_methods
from tracesplice_openai._clients import Client, clients_among, clients_of
from tracesplice_openai._libraries import callers_of, makers_of
from tracesplice_openai._sdk import sdk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tracesplice.adapter import Gateway

__all__ = ["LateMark", "mark_late", "splice_made", "unmark_late", "wrap_calls"]

_MARK = "_tracesplice"


class LateMark:
    """What makes such an object a spliced one: an entry of its ``__dict__``.

    Args:
        kind: The object's class; its methods are wrapped wherever there is a mark of it.
        gateway: The gateway that the calls may carry a link to.
    """

    def __init__(self, kind: type, gateway: Gateway) -> None:
        self._kind = kind
        self.gateway = gateway
        self._wrapped = wrap_calls(kind, gateway)
        wrap_methods(kind, dict.fromkeys(makers_of(kind), _make))

    def __reduce__(self) -> Any:
        # Made anew where an object is copied or unpickled: there nothing may be wrapped yet.
        return LateMark, (self._kind, self.gateway)


def wrap_calls(kind: type, gateway: Gateway) -> object:
    """Wrap the methods by which objects of a class call out of sight.

    Args:
        kind: The class. Of its objects those are spliced that have a mark with a ``gateway``.
        gateway: The gateway of one of them.

    Returns:
        What the mark is to keep: the SDK stays wrapped as long as there is any.
    """
    wrap_methods(kind, dict.fromkeys(callers_of(kind), _call))
    return sdk.mark(gateway)


def mark_late(target: Any, gateway: Callable[[], Gateway]) -> None:
    """Mark ``target``, unless it is marked; ``gateway`` returns the gateway that it calls."""
    if _MARK not in vars(target):
        vars(target)[_MARK] = LateMark(type(target), gateway())
    splice_made(target)


def unmark_late(target: Any) -> None:
    """Undo ``mark_late``."""
    vars(target).pop(_MARK, None)
    sdk.unwrap_unless_needed()


@guarded("the links of a client that was made late")
def splice_made(maker: Any, made: object = None) -> None:
    """Splice the clients of a marked object, and ``made``, if they call its gateway."""
    mark: LateMark | None = vars(maker).get(_MARK)
    if mark is None:
        return
    for client in clients_among([made, *clients_of(maker)]):
        if mark.gateway.matches(str(sdk.address(client))):
            tracesplice_openai.splice(client, mark.gateway)


def _make(wrapped: Callable[..., Any], maker: Any, args: Any, kwargs: Any) -> Any:
    """Wrap a method that makes clients: returns them, or keeps them in the object, or both."""
    made = wrapped(*args, **kwargs)
    if iscoroutine(made):
        return _amake(made, maker)
    if isinstance(made, AbstractAsyncContextManager) and not isinstance(made, Client):
        return _entered(made, maker)
    splice_made(maker, made)
    return made


async def _amake(making: Awaitable[Any], maker: Any) -> Any:
    made = await making
    splice_made(maker, made)
    return made


@asynccontextmanager
async def _entered(manager: AbstractAsyncContextManager[Any], maker: Any) -> AsyncIterator[Any]:
    async with manager as made:
        splice_made(maker, made)
        yield made


def _call(wrapped: Callable[..., Any], caller: Any, args: Any, kwargs: Any) -> Any:
    """Wrap a method that calls a model, or one that copies the object."""
    mark: LateMark | None = vars(caller).get(_MARK)
    if mark is None:
        return wrapped(*args, **kwargs)
    with calling((mark.gateway,)):
        result = wrapped(*args, **kwargs)
    if iscoroutine(result):
        return _acall(result, mark)
    if isgenerator(result) or isasyncgen(result):
        return _lazy(result, mark)
    if type(result) is type(caller):
        vars(result).setdefault(_MARK, mark)
    return result


async def _acall(making: Awaitable[Any], mark: LateMark) -> Any:
    with calling((mark.gateway,)):
        result = await making
    return _lazy(result, mark) if isasyncgen(result) else result


def _lazy(stream: Any, mark: LateMark) -> Any:
    """Let a stream send its request, with its first item, as a call of the object."""
    read = afirst_read_in if isasyncgen(stream) else first_read_in
    return read(calling((mark.gateway,)), stream)
