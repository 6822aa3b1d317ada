"""Splices a ``litellm.Router``: its calls to the gateway among its deployments carry a link.

Releases differ in where a Router has its methods: in its class, in the object, in a core that it
asks. So those of the object itself are set
(https://github.com/BerriAI/litellm/blob/main/litellm/router.py).
"""

from __future__ import annotations

from inspect import iscoroutine
from typing import TYPE_CHECKING, Any

import litellm

from tracesplice.adapter import Gateway, TracespliceError, calling, wrap_function
from tracesplice_openai import address_of_router, sdk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["splice", "unsplice"]

_MARK = "_tracesplice"
_BOTH = (
    *("completion", "text_completion", "embedding", "image_generation", "image_edit"),
    *("responses", "compact_responses", "generate_content", "video_generation"),
)
_METHODS = (
    *_BOTH,
    *(f"a{name}" for name in _BOTH),
    *("aspeech", "atranscription", "amoderation", "arerank"),
    *("anthropic_messages", "aanthropic_messages", "schedule_acompletion"),
    *("abatch_completion", "abatch_completion_one_model_multiple_requests"),
    "abatch_completion_fastest_response",
)


class _Mark:
    """What makes a Router a spliced one: an entry of its ``__dict__``.

    Attributes:
        gateways: The gateway that its calls may carry a link to.
        replaced: What its ``__dict__`` had under the names of its methods.
    """

    def __init__(self, gateway: Gateway) -> None:
        self.gateways = (gateway,)
        self.replaced: dict[str, Any] = {}
        self._wrapped = sdk.mark(gateway)  # the SDK stays wrapped as long as there is this mark


def splice(target: object) -> bool | None:
    """Splice ``target`` if it is a Router; twice is the same as once.

    Raises:
        TracespliceError: No gateway is to be seen among its deployments, or several.
    """
    if not isinstance(target, litellm.Router):
        return None
    fields = vars(target)
    if _MARK not in fields:
        mark = fields[_MARK] = _Mark(_gateway_of(target))
        for name in _METHODS:
            method = getattr(target, name, None)
            if callable(method):
                mark.replaced[name] = fields.get(name)
                fields[name] = wrap_function(method, _within(mark.gateways))
    return True


def unsplice(target: object) -> bool | None:
    """Put a Router back to what it was."""
    if not isinstance(target, litellm.Router):
        return None
    fields = vars(target)
    mark: _Mark | None = fields.pop(_MARK, None)
    for name, method in mark.replaced.items() if mark else ():
        fields.pop(name, None)
        if method is not None:
            fields[name] = method
    del mark
    sdk.unwrap_unless_needed()
    return True


def _gateway_of(router: litellm.Router) -> Gateway:
    address = address_of_router(router)
    if address is None:
        raise TracespliceError(
            "Which deployments of this Router are at the gateway? Name their models "
            "litellm_proxy/..., with one api_base, or type "
            'tracesplice.instrument(gateway="http://localhost:4000").'
        )
    return Gateway.declare(address, argument="api_base")


def _within(gateways: tuple[Gateway, ...]) -> Callable[..., Any]:
    def call(wrapped: Callable[..., Any], _router: object, args: Any, kwargs: Any) -> Any:
        with calling(gateways):
            result = wrapped(*args, **kwargs)
        return _awaited(result, gateways) if iscoroutine(result) else result

    return call


async def _awaited(result: Awaitable[Any], gateways: tuple[Gateway, ...]) -> Any:
    with calling(gateways):
        return await result
