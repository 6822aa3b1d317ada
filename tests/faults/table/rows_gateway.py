"""Rows: what a gateway may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faults.scripted import OK, Reply, moved
from faults.table.stage import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from faults.table.stage import Stage

__all__ = ["ROWS"]

ERROR = b'{"error": {"message": "m", "type": "t", "code": "c"}}'
SOON = (("Retry-After", "0.01"),)
AT_ONCE = (("retry-after-ms", "1"),)


def status(code: int, headers: tuple[tuple[str, str], ...] = (), body: bytes = ERROR) -> Reply:
    return Reply(code, headers, body)


def answers(*replies: Reply) -> Callable[[Stage], Sequence[Reply]]:
    return lambda _: replies


ROWS = {
    "none": Fault("Nothing is wrong."),
    "refused": Fault("It refuses connections.", url=lambda _: "http://127.0.0.1:9"),
    "dns": Fault("Its name is unknown to the DNS.", url=lambda _: "http://gateway.invalid"),
    "tls": Fault(
        "TLS fails: it speaks plain HTTP at an `https` address.",
        url=lambda stage: stage.gateway.url.replace("http:", "https:"),
    ),
    "400": Fault("It answers 400.", answers(status(400))),
    "401": Fault("It answers 401.", answers(status(401))),
    "429": Fault(
        "It answers 429 with `Retry-After`, then as asked.",
        answers(status(429, SOON), OK),
        retries=1,
    ),
    "429 again": Fault(
        "It answers 429 with `Retry-After` each time.", answers(status(429, SOON)), retries=1
    ),
    "500": Fault("It answers 500.", answers(status(500))),
    "500 once": Fault(
        "It answers 500, then as asked.", answers(status(500, AT_ONCE), OK), retries=1
    ),
    "html": Fault("It answers 502 with a page of HTML.", answers(status(502, body=b"<html>"))),
    "garbage": Fault(
        "It answers 200 with bytes that are no JSON.", answers(Reply(body=b"\xff\x00{"))
    ),
    "other json": Fault("It answers 200 with other JSON.", answers(Reply(body=b"[1]"))),
    "empty": Fault("It answers 200 with nothing.", answers(Reply(body=b""))),
    "cut headers": Fault(
        "The connection is cut in the headers of its answer.", answers(Reply(cut=20))
    ),
    "cut": Fault("The connection is cut in the middle of its answer.", answers(Reply(cut=-40))),
    "stream error": Fault(
        "Its stream has an error in it.",
        answers(Reply(body=b'data: {"error": {"message": "m"}}\n\n')),
        ways=("stream", "async stream"),
    ),
    "slow": Fault("It does not answer in time.", answers(Reply(held=True)), timeout=0.1),
    "307": Fault(
        "It redirects to another path of its own (307).", answers(moved(307, "?again"), OK)
    ),
    "302": Fault("It redirects as a GET (302).", answers(moved(302, "?again"), OK)),
    "307 away": Fault(
        "It redirects to another host (307).",
        lambda stage: [moved(307, f"{stage.other.url}/v1/chat/completions")],
    ),
    "307 for ever": Fault("It redirects for ever.", answers(moved(307, "?again"))),
    "reports": Fault(
        "It says that it reports the call, and that it does not.",
        answers(
            Reply(
                headers=(
                    ("x-tracesplice-reports", "true"),
                    ("X-Tracesplice-Reports", "false"),
                )
            )
        ),
    ),
}
