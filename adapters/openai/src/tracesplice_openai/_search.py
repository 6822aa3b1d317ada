"""Finds the OpenAI clients in an object of a library, and the objects in it that get one late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracesplice_openai._clients import clients_among
from tracesplice_openai._libraries import callers_of, is_of_library, makers_of

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Found", "address_in"]

_ADDRESSES = ("base_url", "api_base", "api_base_url", "azure_endpoint", "_stored_base_url")
# Of another package, but with the libraries' objects in them: Haystack's pipelines are such graphs.
_GRAPHS = "networkx."


class Found:
    """What was found in an object, and in what it holds of the libraries' classes.

    Attributes:
        objects: The libraries' objects, the one that was searched first.
        clients: The OpenAI clients in them.
        late: Those of the objects that make clients later, or call through clients out of sight.
    """

    def __init__(self, target: object) -> None:
        """Search ``target``."""
        seen: dict[int, Any] = {}  # the objects too, so that no id is used again meanwhile
        todo = [target]
        for each in todo:
            if id(each) not in seen:
                seen[id(each)] = each
                todo += _parts(each)
        self.clients = clients_among(seen.values())
        self.objects: list[Any] = [each for each in seen.values() if is_of_library(each)]
        self.late = [each for each in self.objects if _is_late(type(each))]


def address_in(owner: object) -> str | None:
    """Return the address that ``owner`` was given for its calls, as far as it can be seen."""
    fields = _fields_of(owner)
    dicts = (each for each in fields.values() if isinstance(each, dict))
    given = (each.get(name) for each in (fields, *dicts) for name in _ADDRESSES)
    return next((each for each in given if isinstance(each, str) and each), None)


def _is_late(kind: type) -> bool:
    return bool(makers_of(kind) or callers_of(kind))


def _parts(part: Any) -> Iterable[Any]:
    if isinstance(part, dict):
        return part.values()
    if isinstance(part, (list, tuple, set, frozenset)):
        return part
    if is_of_library(part) or type(part).__module__.startswith(_GRAPHS):
        return _fields_of(part).values()
    return ()


def _fields_of(owner: object) -> dict[str, Any]:
    slots = (vars(kind).get("__slots__", ()) for kind in type(owner).__mro__)
    names = (name for each in slots for name in ((each,) if isinstance(each, str) else each))
    found = {name: getattr(owner, name, None) for name in names if not name.startswith("__")}
    for name in ("__dict__", "__pydantic_private__"):
        held = getattr(owner, name, None)
        found.update(held if isinstance(held, dict) else {})
    return found
