"""What LiteLLM's older releases cannot do for us, said once in the gateway's log.

Found by running them, see ``tests/older_gateways``: requests go through untouched.
"""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import TYPE_CHECKING

from tracesplice_wire import warn_once

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["limits", "warn_of_limits"]

_NO_TOKENS = "it reports streamed answers of /responses with 0 tokens, at the right cost"
_NO_HEADER = "answers do not say whether it reports them, so clients go by their configuration"

# Before that release, in that mode or in any.
_LIMITS: tuple[tuple[tuple[int, ...], str | None, str], ...] = (
    ((1, 104), "langfuse", _NO_TOKENS),
    ((1, 82), None, _NO_HEADER),
)


def limits(release: str, modes: Collection[str]) -> list[str]:
    """Return what does not work.

    Args:
        release: LiteLLM's version.
        modes: The names of the modes it reports in.
    """
    numbers = tuple(int(number) for number in re.findall(r"\d+", release)[:3])
    return [
        what
        for before, mode, what in _LIMITS
        if numbers < before and (mode is None or mode in modes)
    ]


def warn_of_limits(modes: Collection[str]) -> None:
    """Log what does not work in this gateway, each once."""
    release = version("litellm")
    for what in limits(release, modes):
        warn_once(what, "tracesplice-litellm: LiteLLM %s is old: " + what + ".", release)
