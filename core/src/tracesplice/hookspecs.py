"""The hooks an adapter implements; see ``docs/adapters.md`` for a worked example.

An adapter is a package with an entry point in the group ``tracesplice`` that names a module or
object with these hooks. They run when the adapters are loaded, which is at the first ``splice`` or
``instrument``, when an object is spliced or put back, and when the process is instrumented or no
longer is. What a hook raises other than ``TracespliceError`` is a fault of the adapter: it is
logged once and the other adapters are asked; with ``TRACESPLICE_STRICT`` set it is raised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracesplice._gateway import Gateway

__all__ = ["PROJECT", "hookimpl"]

PROJECT = "tracesplice"
"""Both the pluggy project name and the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec(firstresult=True)
def tracesplice_handles() -> str:  # type: ignore[empty-body]
    """Say in a few words what this adapter splices, for error messages and the command line.

    Returns:
        For example ``"openai.OpenAI, openai.AsyncOpenAI"``.
    """


@hookspec(firstresult=True)
def tracesplice_packages() -> Sequence[str]:  # type: ignore[empty-body]
    """Name the top-level packages this adapter knows, so that it is asked about nothing else.

    ``tracesplice_splice`` and ``tracesplice_unsplice`` are called for objects with a class of one
    of these packages in their class hierarchy. An adapter may then import its framework inside
    them: whoever holds such an object has imported it already. Without this hook an adapter is
    asked about every object, and must answer without importing anything large.

    Returns:
        For example ``["openai"]``.
    """


@hookspec
def tracesplice_prepare() -> None:
    """Prepare the framework, before anything is spliced or the process is instrumented.

    Also where the object is another adapter's: a framework's model may call it. Must be safe to
    call twice, as two threads may do it, must import no framework, and patch one at the earliest
    when it is imported.
    """


@hookspec(firstresult=True)
def tracesplice_splice(target: object) -> bool | None:
    """Make ``target``'s calls, and those of what it makes of itself, carry a link.

    Must be safe to call twice, and must leave ``target`` usable wherever it was usable before.

    Returns:
        True when ``target`` is spliced, None when it is not this adapter's.

    Raises:
        TracespliceError: ``target`` is this adapter's but cannot be spliced. Others that know its
            packages are asked too; where none can do it, the user sees this.
    """


@hookspec(firstresult=True)
def tracesplice_unsplice(target: object) -> bool | None:
    """Put ``target`` back to what it was.

    Returns:
        True when ``target`` is this adapter's, spliced or not; else None.
    """


@hookspec
def tracesplice_instrument(gateways: Sequence[Gateway]) -> None:
    """Make every call of this adapter's framework to one of ``gateways`` carry a link.

    Called again with the whole list when a gateway is added.
    """


@hookspec
def tracesplice_uninstrument() -> None:
    """Undo ``tracesplice_instrument``; does nothing where it was not called."""
