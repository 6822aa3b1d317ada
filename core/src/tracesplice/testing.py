"""What tests of an application or an adapter import; it comes with `tracesplice[testing]`.

The names are those of `tracesplice_testing`, which says what they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracesplice._errors import TracespliceError

if TYPE_CHECKING:
    from tracesplice_testing import (
        AdapterContract,
        Gateway,
        GatewayMode,
        GatewayStandIn,
        ModelServer,
        Recorder,
        assert_unified,
    )

__all__ = [
    "AdapterContract",
    "Gateway",
    "GatewayMode",
    "GatewayStandIn",
    "ModelServer",
    "Recorder",
    "assert_unified",
]


class _MissingExtraError(TracespliceError, ModuleNotFoundError):
    """Is what an import raises otherwise, too."""


try:
    import tracesplice_testing
except ModuleNotFoundError as error:
    if error.name != "tracesplice_testing":
        raise
    raise _MissingExtraError(
        'tracesplice.testing is an extra of its own. Type:\n  pip install "tracesplice[testing]"'
    ) from error


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(tracesplice_testing, name)
