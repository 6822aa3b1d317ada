"""``splice``, ``unsplice``, ``instrument``, ``uninstrument``: setting things up."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from tracesplice._errors import TracespliceError
from tracesplice._gateway import Gateway, default_gateway

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracesplice._hooks import Adapters

__all__ = [
    "adapters",
    "declared_gateways",
    "instrument",
    "is_instrumented",
    "splice",
    "uninstrument",
    "unsplice",
]

_T = TypeVar("_T")

# In the order they were declared; single operations on a dict need no lock.
_declared: dict[Gateway, None] = {}


@lru_cache(maxsize=1)
def adapters() -> Adapters:
    """Return the installed adapters, loaded and prepared on first use."""
    # Two threads may do it at once; an adapter's preparation is the same twice as once.
    from tracesplice._hooks import installed_adapters  # takes a while, and is for setting up alone

    found = installed_adapters()
    found.each("tracesplice_prepare")
    return found


def splice(target: _T) -> _T:
    """Make the calls of ``target`` carry a link, so that the gateway's trace joins yours.

    Touches ``target`` and what it makes of itself (``with_options``, ``copy``, ...) and no other
    client. Its own base URL is the gateway: a call that goes elsewhere carries nothing. Splicing
    twice is the same as once.

    Args:
        target: A client or model that an installed adapter knows, such as ``openai.OpenAI``.

    Returns:
        ``target`` itself.

    Raises:
        TracespliceError: No adapter knows ``target``, or it points at a model provider.
    """
    adapters().first("tracesplice_splice", target)
    return target


def unsplice(target: _T) -> _T:
    """Put a spliced object back to what it was; an object that is not spliced stays as it is.

    Returns:
        ``target`` itself.

    Raises:
        TracespliceError: No adapter knows ``target``.
    """
    adapters().first("tracesplice_unsplice", target)
    return target


def instrument(gateway: str | Iterable[str] | None = None) -> None:
    """Make every client's calls to a gateway carry a link, in the whole process.

    The fallback for libraries without an adapter: whatever ends in an OpenAI client is reached.
    Calling it again adds gateways.

    Args:
        gateway: One address or several; by default that of ``LITELLM_PROXY_API_BASE``.

    Raises:
        TracespliceError: No address is given, one is no gateway's, or no adapter is installed.
    """
    gateways = _gateways(gateway)
    if all(adapter.problem is not None for adapter in adapters().found):
        from tracesplice._advice import none_works

        raise TracespliceError(none_works(adapters().found))
    _declared.update(dict.fromkeys(gateways))
    told: tuple[Gateway, ...] = ()
    while told != (now := tuple(_declared)):  # another thread may have declared more meanwhile
        told = now
        adapters().each("tracesplice_instrument", gateways=now)


def uninstrument() -> None:
    """Undo ``instrument``; spliced objects stay spliced."""
    _declared.clear()
    adapters().each("tracesplice_uninstrument")


def is_instrumented() -> bool:
    """Return whether calls of objects that are not spliced carry a link too."""
    return bool(_declared)


def declared_gateways() -> tuple[Gateway, ...]:
    """Return the gateways of ``instrument``."""
    return tuple(_declared)


def _gateways(gateway: str | Iterable[str] | None) -> list[Gateway]:
    if gateway is None:
        return [default_gateway()]
    one = isinstance(gateway, (str, bytes)) or not hasattr(gateway, "__iter__")
    found = [Gateway.declare(url, argument="gateway") for url in ([gateway] if one else gateway)]
    if not found:
        raise TracespliceError(
            "Which gateway? The list of addresses is empty. Pass one, such as "
            'tracesplice.instrument(gateway="http://localhost:4000").'
        )
    return found
