"""The adapter's hooks; see ``tracesplice.hookspecs`` for what each one promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracesplice.adapter import TracespliceError, hookimpl, shown_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["tracesplice_handles", "tracesplice_packages", "tracesplice_splice"]


@hookimpl
def tracesplice_handles() -> str:
    return "Ray tasks and actors, after tracesplice_ray.install()"


@hookimpl
def tracesplice_packages() -> Sequence[str]:
    return ["ray"]


@hookimpl
def tracesplice_splice(target: object) -> bool | None:
    raise TracespliceError(
        f"{shown_kind(target)} makes no model calls itself. Type tracesplice_ray.install() in the "
        "driver, so that tasks and actors go on in the trace that they were called in; splice the "
        "client that they call."
    )
