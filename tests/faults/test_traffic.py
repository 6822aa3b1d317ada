"""All that a spliced process sends, caught: what is ours is in requests to the gateway alone.

The process has a proxy for all its HTTP, so names need not exist. Whose request it is, is decided
by where it really goes, not by what tracesplice makes of its address.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import pytest

from faults.scripted import Reply, Scripted
from rig.patience import PATIENCE
from tracesplice_testing.gateway._process import clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.scripted import Seen

pytest.importorskip("anthropic", reason="not in this set of packages")

PROGRAM = Path(__file__).with_name("traffic_program.py")
GATEWAY, LANGFUSE = "http://gateway.test:4000/team", "http://langfuse.test"
# Where they lead is not the gateway, or not below its path, for whoever reads them rightly.
LOOKALIKES = [
    "http://gateway.test.evil.test:4000/team/v1",
    "http://evilgateway.test:4000/team/v1",
    "http://gateway.test:4000@evil.test/team/v1",
    "http://gateway.test:4000%40evil.test/team/v1",
    "http://user:pw@evil.test:4000/team/v1",
    "http://evil.test:4000/team/v1?gateway.test:4000/team",
    "http://evil.test:4000#@gateway.test:4000/team/v1",
    "http://evil.test:4000\\@gateway.test:4000/team/v1",
    "http://gateway.test:4000\\@evil.test:4000/team/v1",
    "http://gateway.test:4001/team/v1",
    "http://gateway.test:04001/team/v1",
    "http://gateway.test/team/v1",
    "http://gateway.test:4000/teams/v1",
    "http://gateway.test:4000/other/v1",
    "http://gateway.test:4000/team/../other/v1",
    "http://gateway.test:4000/team/%2e%2e/other/v1",
    "http://gateway.test:4000/team/..;/other/v1",
    "http://g\u0430teway.test:4000/team/v1",
    "http://xn--gteway-4nf.test:4000/team/v1",
    "http://gateway%2etest:4000/team/v1",
    "http://gateway.test%00.evil.test:4000/team/v1",
    "http://[::1]:4000/team/v1",
    "http://[::ffff:127.0.0.1]:4000/team/v1",
    "http://2130706433:4000/team/v1",
]
# The same gateway, said otherwise: may be linked.
ALIKE = [
    "HTTP://GATEWAY.TEST:4000/team/v1/",
    "http://gateway.test.:4000/team/v1",
    "http://gateway.test:04000/team/v1",
    "http://\uff47ateway.test:4000/team/v1",
    "http://gateway\u3002test:4000/team/v1",
]
TOLD = {
    "span": "span-name-1f",
    "user": "user-2f",
    "session": "session-3f",
    "tag": "tag-4f",
    "note": "note-5f",
    "prompt": "prompt-name-6f",
    "template": "template-text-7f",
    "message": "message-text-8f",
}
SECRETS = {
    "LANGFUSE_SECRET_KEY": "sk-lf-9f",
    "LANGFUSE_PUBLIC_KEY": "pk-lf-0f",
    "OPENAI_API_KEY": "sk-openai-1e",
    "DATABASE_URL": "value-of-the-environment-2e",
}
FIELDS = ("litellm_metadata", "existing_trace_id", "traceparent", "baggage", "x-tracesplice")


class Run(NamedTuple):
    """What the process sent, in order, the trace it made, and what it logged."""

    seen: list[Seen]
    trace_id: str
    logged: str

    def ours(self, seen: Seen) -> list[str]:
        """What of a request only tracesplice can have put there."""
        said = [TOLD[each] for each in ("span", "user", "session", "tag", "note", "prompt")]
        text = f"{seen.headers}{seen.body.decode(errors='replace')}".lower()
        return [mark for mark in (*FIELDS, *said, self.trace_id) if mark in text]


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    proxy = Scripted()
    proxy.script([Reply(headers=(("x-tracesplice-reports", "true"),))])
    told = {**TOLD, "gateway": GATEWAY, "addresses": [*LOOKALIKES, *ALIKE]}
    env = {"HTTP_PROXY": proxy.url, "http_proxy": proxy.url, "LANGFUSE_BASE_URL": LANGFUSE}
    try:
        done = subprocess.run(
            [sys.executable, str(PROGRAM), json.dumps(told)],
            env=clean_environment(SECRETS, env),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        yield Run(list(proxy.seen), done.stdout.strip(), done.stderr)
    finally:
        proxy.stop()


def goes_to(seen: Seen) -> tuple[str, int, str]:
    """Host, port and path that a proxy connects to."""
    try:
        parts = urlsplit(seen.path)
        return (parts.hostname or "").rstrip("."), parts.port or 80, parts.path
    except ValueError:  # of requests and urllib, which send what is no address
        return "", 0, ""


def is_gateways(seen: Seen) -> bool:
    host, port, path = goes_to(seen)
    return (host, port) == ("gateway.test", 4000) and path.startswith("/team/") and ".." not in path


def test_what_is_ours_goes_to_the_gateway_and_to_langfuse_only(run: Run) -> None:
    others = [each for each in run.seen if not is_gateways(each) and "langfuse" not in each.path]
    leaks = {each.path: found for each in others if (found := run.ours(each))}
    assert leaks == {}
    # They were called: by name, by port, by path, by address.
    hosts = {goes_to(each)[:2] for each in others}
    assert len(hosts) >= 8, hosts
    assert ("gateway.test", 4001) in hosts
    assert ("gateway.test", 4000) in hosts


def test_the_gateway_gets_the_link_from_each_client_of_it(run: Run) -> None:
    linked = [each for each in run.seen if is_gateways(each) and "traceparent" in run.ours(each)]
    agents = {(each.header("user-agent") or "").partition("/")[0] for each in linked}
    assert agents == {"OpenAI", "Anthropic"}
    assert all(run.trace_id in str(each.headers) for each in linked)


def test_clients_that_are_no_model_s_carry_nothing(run: Run) -> None:
    plain = [
        each
        for each in run.seen
        if re.match("python-(httpx|requests|urllib)", (each.header("user-agent") or "").lower())
        and "langfuse" not in each.path
    ]
    assert len(plain) > 30
    assert [each.path for each in plain if run.ours(each)] == []


def test_no_key_no_environment_and_no_prompt_text_is_added(run: Run) -> None:
    calls = [each for each in run.seen if "langfuse.test" not in each.path]
    sent = "".join(f"{each.headers}{each.body.decode(errors='replace')}" for each in calls)
    secrets = [*SECRETS.values(), TOLD["template"]]
    assert [each for each in secrets if each in sent] == []


def test_the_log_has_neither_keys_nor_texts_nor_ids(run: Run) -> None:
    ours = [each for each in run.logged.splitlines() if "tracesplice" in each]
    assert ours, run.logged  # something is said: of 500 characters in a tag, of another host
    private = [*SECRETS.values(), TOLD["template"], TOLD["message"], TOLD["session"], run.trace_id]
    assert [each for each in private if each in run.logged] == []
    assert "pw@" not in run.logged
