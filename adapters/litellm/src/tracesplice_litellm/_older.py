"""What LiteLLM's older releases cannot do for us, said once in the gateway's log.

Found by running them, see ``tests/older_gateways``: requests go through untouched.
"""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import TYPE_CHECKING

from tracesplice_litellm._guard import log
from tracesplice_litellm._modes import Mode

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["limits", "say_limits"]

# Before that release, in that mode or in any.
_LIMITS: tuple[tuple[tuple[int, ...], Mode | None, str], ...] = (
    (
        (1, 104),
        Mode.LANGFUSE,
        "it reports streamed answers of /responses with 0 tokens, at the right cost",
    ),
    (
        (1, 82),
        None,
        "answers do not say whether it reports them, so clients go by their configuration",
    ),
)

_said: set[str] = set()


def limits(release: str, modes: Collection[Mode]) -> list[str]:
    """Return what does not work.

    Args:
        release: LiteLLM's version.
        modes: How it reports.
    """
    numbers = tuple(int(number) for number in re.findall(r"\d+", release)[:3])
    return [
        what
        for before, mode, what in _LIMITS
        if numbers < before and (mode is None or mode in modes)
    ]


def say_limits(modes: Collection[Mode]) -> None:
    """Log what does not work in this gateway, each once."""
    release = version("litellm")
    for what in limits(release, modes):
        if what not in _said:
            _said.add(what)
            log("tracesplice-litellm: LiteLLM %s is old: %s.", release, what)
