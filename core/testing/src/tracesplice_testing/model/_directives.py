"""Faults and delays, asked for in the user's text or in the model's name.

=========================== ==================================================================
`[[delay:0.5]]`             wait this many seconds before answering
`[[pace:0.1]]`              wait this many seconds before each chunk of a stream
`[[words:200]]`             pad the answer to this many words
`[[fail:500]]`              answer with this status
`[[fail-once:500:KEY]]`     the first request with this KEY gets the status, the next succeed;
                            without `:KEY`, the text of the message is the key
`[[no-usage]]`              leave the usage out of a stream, even if asked for it
`[[drop]]`                  send a part of the answer, then close the connection
`[[cache-read:5]]`          so many tokens were read from a cache, besides those of the text;
`[[cache-written:7]]`       and so many written into one (Anthropic's protocol alone)
=========================== ==================================================================

Directives are cut out of the text before it is answered. A model called `broken` always fails.
"""

import re
from dataclasses import dataclass

from tracesplice_testing.model._record import RequestLog

__all__ = ["Directives", "parse"]

_DIRECTIVE = re.compile(r"\[\[([a-z-]+)(?::([^\]]*))?\]\]")


@dataclass(frozen=True)
class Directives:
    """What a request asked for. Times are in seconds."""

    text: str = ""
    delay: float = 0.0
    pace: float = 0.0
    words: int = 0
    fail: int | None = None
    fail_once: int | None = None
    fail_key: str = ""
    drop: bool = False
    no_usage: bool = False
    cache_read: int = 0
    cache_written: int = 0

    def status(self, log: RequestLog) -> int | None:
        """The status to fail with, or None to answer; spends a `fail-once`."""
        if self.fail is not None:
            return self.fail
        if self.fail_once is not None and log.spend(self.fail_key):
            return self.fail_once
        return None


def parse(text: str, model: str = "") -> Directives:
    """Read the directives of a message and of a model name; the message's win."""
    plain = _DIRECTIVE.sub("", text).strip()
    found = {"fail": "500"} if model == "broken" else {}
    found |= {name: value or "" for name, value in _DIRECTIVE.findall(model)}
    found |= {name: value or "" for name, value in _DIRECTIVE.findall(text)}
    once, _, key = found.get("fail-once", "").partition(":")
    return Directives(
        text=plain,
        delay=float(found.get("delay", 0)),
        pace=float(found.get("pace", 0)),
        words=int(found.get("words", 0)),
        fail=int(found["fail"]) if "fail" in found else None,
        fail_once=int(once) if once else None,
        fail_key=key or plain,
        drop="drop" in found,
        no_usage="no-usage" in found,
        cache_read=int(found.get("cache-read", 0)),
        cache_written=int(found.get("cache-written", 0)),
    )
