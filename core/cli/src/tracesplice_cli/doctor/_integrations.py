"""Integrations that trace one call twice: `langfuse.openai` beside a framework's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracesplice_cli.doctor._finding import Finding, ok, problem

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["OTHERS", "integrations_finding"]

OTHERS = (
    "langfuse.langchain",
    "openinference.instrumentation",
    "opentelemetry.instrumentation.openai",
    "opentelemetry.instrumentation.langchain",
    "opentelemetry.instrumentation.llamaindex",
)
"""Modules whose import says that another integration is in use."""


def integrations_finding(modules: Collection[str], counts_once: bool) -> Finding:
    """Judge what is imported.

    Args:
        modules: `langfuse.openai` and those of `OTHERS` that are.
        counts_once: Whether a mask counts each call once.
    """
    check = "app.integrations"
    others = " and ".join(name for name in OTHERS if name in modules)
    if "langfuse.openai" not in modules or not others:
        return ok(check, "No two integrations trace the same call.")
    what = f"langfuse.openai is imported beside {others}: a call may have two generations here."
    if counts_once:
        return ok(check, f"{what} It is counted once by the mask.")
    why = "langfuse.openai traces every OpenAI client of the process, a framework's own too."
    return problem(check, what, why, "from openai import OpenAI  # in place of langfuse.openai")
