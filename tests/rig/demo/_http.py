"""JSON over HTTP from the servers the environment names, through the user's proxy settings."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tracesplice_cli.doctor._http import basic, bearer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Refused", "Unreachable", "basic", "bearer", "get"]

_TIMEOUT_SECONDS = 20.0


class Refused(Exception):  # noqa: N818 - what happened, to be told in words
    """The server answered with an error status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class Unreachable(Exception):  # noqa: N818
    """Nobody answered, or not with JSON; the text says how it failed."""


def get(url: str, headers: Mapping[str, str], query: Mapping[str, str] | None = None) -> Any:
    """The answer's JSON.

    Raises:
        Refused: The server answered with an error status.
        Unreachable: No server answered, or something that speaks no JSON.
    """
    suffix = "?" + urllib.parse.urlencode(query) if query else ""
    request = urllib.request.Request(url + suffix, headers=dict(headers))
    with _answer(request) as answer:
        return json.load(answer)


@contextmanager
def _answer(request: urllib.request.Request) -> Iterator[Any]:
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:
            yield answer
    except urllib.error.HTTPError as error:
        with error:
            raise Refused(error.code) from None
    except urllib.error.URLError as error:
        raise Unreachable(str(error.reason)) from None
    except (OSError, ValueError) as error:
        raise Unreachable(str(error) or type(error).__name__) from None
