"""The methods of the SDK's client classes that are wrapped, and their wrappers.

``request`` runs once per call, ``_build_request`` once per attempt, right before the body is
serialised and inside whatever else instruments the client, so that the current span is the
innermost one. ``_process_response`` runs once per call, when its last attempt was answered without
an error, and before a stream is read: a client's generation is not exported yet. The latter two are
private; the SDK has no public method at those places, for all the ways to ask for an answer
(https://github.com/openai/openai-python/blob/main/src/openai/_base_client.py).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import openai
import wrapt

from tracesplice.adapter import guarded
from tracesplice_openai._answer import note_answer
from tracesplice_openai._gateways import hand_on
from tracesplice_openai._request import await_answer, link_request, with_generation

if TYPE_CHECKING:
    from collections.abc import Callable

    Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]
    FunctionWrapper = wrapt.FunctionWrapper[Any, Any]
else:
    FunctionWrapper = wrapt.FunctionWrapper  # not generic at run time

__all__ = ["unwrap", "wrap"]

_hand_on = guarded("the links of a client's copy")(hand_on)


def wrap() -> None:
    """Wrap the methods, as far as they are not wrapped."""
    for owner, name, wrapper in _WRAPPERS:
        if type(vars(owner).get(name)) is not _Wrapped:
            setattr(owner, name, _Wrapped(owner, name, wrapper))


def unwrap() -> None:
    """Put the methods back; a wrapper that somebody set over ours stays, and ours under it."""
    for owner, name, _ in _WRAPPERS:
        ours = vars(owner).get(name)
        if type(ours) is not _Wrapped:
            continue
        if ours.is_inherited:
            with suppress(AttributeError):  # another thread was quicker
                delattr(owner, name)
        else:
            setattr(owner, name, ours.__wrapped__)


def _request(wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any) -> Any:
    args, kwargs = with_generation(client, args, kwargs) or (args, kwargs)
    return wrapped(*args, **kwargs)


async def _arequest(wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any) -> Any:
    args, kwargs = with_generation(client, args, kwargs) or (args, kwargs)
    return await wrapped(*args, **kwargs)


def _build_request(wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any) -> Any:
    linked = link_request(client, *args, **kwargs)
    if linked is None:
        return wrapped(*args, **kwargs)
    rest = {key: value for key, value in kwargs.items() if key != "options"}
    request = wrapped(linked.options, *args[1:], **rest)
    await_answer(request, linked)
    return request


def _process_response(wrapped: Callable[..., Any], _client: Any, args: Any, kwargs: Any) -> Any:
    note_answer(kwargs.get("response"))
    return wrapped(*args, **kwargs)  # awaitable or not


def _copy(wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any) -> Any:
    copied = wrapped(*args, **kwargs)
    _hand_on(client, copied)
    return copied


class _Wrapped(FunctionWrapper):
    """A method of ours; ``type()`` tells it from a wrapper that somebody set over it."""

    def __init__(self, owner: type, name: str, wrapper: Wrapper) -> None:
        inherited = name not in vars(owner)
        super().__init__(
            getattr(owner, name), _calling_inherited(owner, name, wrapper) if inherited else wrapper
        )
        self._self_inherited = inherited

    @property
    def is_inherited(self) -> bool:
        """Whether the class itself had no such method."""
        return bool(self._self_inherited)


def _calling_inherited(owner: type, name: str, wrapper: Wrapper) -> Wrapper:
    def call(_wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any) -> Any:
        # Looked up at each call, so that what instruments the base class later is not bypassed.
        return wrapper(getattr(super(owner, client), name), client, args, kwargs)

    return call


_SHARED: tuple[tuple[str, Wrapper], ...] = (
    ("_build_request", _build_request),
    ("_process_response", _process_response),
    ("copy", _copy),
    ("with_options", _copy),
)
_WRAPPERS: tuple[tuple[type, str, Wrapper], ...] = (
    *((openai.OpenAI, *each) for each in (("request", _request), *_SHARED)),
    *((openai.AsyncOpenAI, *each) for each in (("request", _arequest), *_SHARED)),
)
