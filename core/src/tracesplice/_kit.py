"""What adapters of frameworks have in common, beside the wrapping of methods (``_wrap``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import wrapt

from tracesplice._errors import TracespliceError
from tracesplice_wire import guarded, shown_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import ModuleType

    from langfuse.model import ChatPromptClient, TextPromptClient

__all__ = [
    "langfuse_prompt",
    "splice_each",
    "when_imported",
]

_T = TypeVar("_T")

# Modules that are awaited, with what to do then; single operations on a dict need no lock.
_awaited: dict[tuple[str, Callable[[ModuleType], object]], object] = {}


def when_imported(module: str, function: Callable[[ModuleType], object]) -> None:
    """Call ``function`` with a module once: now if it is imported, else when it will be.

    Args:
        module: The module's full name; it is not imported for this.
        function: A function at the top level of a module. Where it raises, that is logged.
    """
    token = object()
    if _awaited.setdefault((module, function), token) is token:
        harmless = guarded(f"what calls through {module} need for their links")(function)
        wrapt.register_post_import_hook(harmless, module)


def splice_each(found: Collection[_T], splice: Callable[[_T], object]) -> None:
    """Splice what was found in something; what refuses, such as a provider's, is left out.

    Raises:
        TracespliceError: All refused; it is the first one's.
    """
    refused = [error for each in found if (error := _refusal(each, splice)) is not None]
    if refused and len(refused) == len(found):
        raise refused[0]


def langfuse_prompt(prompt: object) -> TextPromptClient | ChatPromptClient:
    """Return ``prompt``, to make a framework's template of.

    Raises:
        TracespliceError: It is not what ``langfuse.get_prompt`` returns.
    """
    from langfuse.model import ChatPromptClient, TextPromptClient

    if isinstance(prompt, (TextPromptClient, ChatPromptClient)):
        return prompt
    raise TracespliceError(
        f"Not a Langfuse prompt: {shown_kind(prompt)}. "
        'Pass what langfuse.get_prompt("name") returns.'
    )


def _refusal(each: _T, splice: Callable[[_T], object]) -> TracespliceError | None:
    try:
        splice(each)
    except TracespliceError as error:
        return error
    return None
