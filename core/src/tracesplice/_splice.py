"""``splice``, ``unsplice``, ``instrument``, ``uninstrument``: setting things up."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from tracesplice._errors import TracespliceError
from tracesplice._gateway import Gateway, default_gateway
from tracesplice._plugins import BLOCK_VARIABLE, Adapters, installed_adapters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tracesplice._hooks import Answer

__all__ = ["adapters", "instrument", "is_instrumented", "splice", "uninstrument", "unsplice"]

_T = TypeVar("_T")

# In the order they were declared; single operations on a dict need no lock.
_declared: dict[Gateway, None] = {}

_EXTRAS = {
    "openai": "openai",
    "langchain": "langchain",
    "langchain_core": "langchain",
    "langchain_openai": "langchain",
    "langgraph": "langchain",
    "llama_index": "llama-index",
}


@lru_cache(maxsize=1)
def adapters() -> Adapters:
    """Return the installed adapters, loaded on first use."""
    return installed_adapters()


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
    _done(adapters().splice(target), target)
    return target


def unsplice(target: _T) -> _T:
    """Put a spliced object back to what it was; an object that is not spliced stays as it is.

    Returns:
        ``target`` itself.

    Raises:
        TracespliceError: No adapter knows ``target``.
    """
    _done(adapters().unsplice(target), target)
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
        raise TracespliceError(_no_adapter())
    _declared.update(dict.fromkeys(gateways))
    told: tuple[Gateway, ...] = ()
    while told != (now := tuple(_declared)):  # another thread may have declared more meanwhile
        told = now
        adapters().instrument(now)


def uninstrument() -> None:
    """Undo ``instrument``; spliced objects stay spliced."""
    _declared.clear()
    adapters().uninstrument()


def is_instrumented() -> bool:
    """Return whether calls of objects that are not spliced carry a link too."""
    return bool(_declared)


def _gateways(gateway: str | Iterable[str] | None) -> list[Gateway]:
    if gateway is None:
        return [default_gateway()]
    one = isinstance(gateway, (str, bytes)) or not hasattr(gateway, "__iter__")
    found = [Gateway.declare(url) for url in ([gateway] if one else gateway)]
    if not found:
        raise TracespliceError("Which gateway? The list of addresses is empty.")
    return found


def _no_adapter() -> str:
    broken = "".join(f" {each.name} {each.problem}." for each in adapters().found)
    return f"No adapter works here: pip install 'tracesplice[openai]'.{broken}"


def _done(answer: Answer, target: object) -> None:
    if answer.done:
        return
    fault = next(iter(answer.faults.values()), None)
    raise TracespliceError(_unknown(target) + _failed(answer.faults)) from fault


def _failed(faults: Mapping[str, Exception]) -> str:
    return "".join(
        f" The adapter {name} failed ({type(error).__name__}), which is a fault of its own: "
        f"report it to its authors, or leave it out with {BLOCK_VARIABLE}={name}."
        for name, error in faults.items()
    )


def _unknown(target: object) -> str:
    kind = type(target)
    working = [adapter for adapter in adapters().found if adapter.problem is None]
    known = "; ".join(f"{adapter.name} ({adapter.handles})" for adapter in working) or "none"
    return (
        f"No adapter knows {kind.__module__}.{kind.__qualname__}. "
        f"Adapters found: {known}. {_advice(target)}"
    )


def _advice(target: object) -> str:
    broken = [adapter for adapter in adapters().found if adapter.problem is not None]
    for base in type(target).__mro__:
        extra = _EXTRAS.get(base.__module__.partition(".")[0])
        if extra is None:
            continue
        names = (extra, extra.replace("-", "_"))
        for adapter in broken:
            if adapter.name in names:
                return f"The adapter {adapter.name} is installed but {adapter.problem}"
        if not any(adapter.name in names for adapter in adapters().found):
            return f"Install the one for it: pip install 'tracesplice[{extra}]'"
    return "Splice the client or model that makes the calls, or use tracesplice.instrument()."
