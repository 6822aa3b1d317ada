"""The application's own process, as far as importing a module of it shows."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from tracesplice_cli._http import address
from tracesplice_cli.doctor._finding import Finding, masked, ok, problem, unknown
from tracesplice_cli.doctor._integrations import integrations_finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracesplice_cli._settings import Settings

__all__ = ["application_findings"]

_DEADLINE_SECONDS = 120
_MASK = "Langfuse(mask_otel_spans=tracesplice.count_usage_once())"
_TWICE = "Tokens and cost of every call are counted on both sides, so twice."
_AGAIN = "tracesplice doctor --app module:function  # from its folder"
_FIRST = f"{_MASK}  # before anything else makes or gets a client"


def application_findings(target: str, settings: Settings) -> Iterator[Finding]:
    """Import a module in a process of its own, and yield what it set up.

    Args:
        target: `module`, or `module:function`: then the function is called, without arguments.
        settings: What this environment names.
    """
    seen = _seen(target)
    if isinstance(seen, Finding):
        yield seen
        return
    if not seen["clients"]:
        what = f"{target} makes no Langfuse client, so that its mask is not known."
        why = "Name the function that makes it. It is called without arguments."
        yield unknown("app.mask", what, why, "tracesplice doctor --app module:function")
    for client in seen["clients"]:
        yield from _client(client, bool(seen["counted"]), settings)
    once = ("ours", "other") if seen["counted"] else ("ours",)
    counts_once = any(client["mask"] in once for client in seen["clients"])
    yield integrations_finding(frozenset(seen["modules"]), counts_once)


def _seen(target: str) -> dict[str, Any] | Finding:
    command = [sys.executable, "-m", "tracesplice_cli.doctor._imported", target]
    check = "app.import"
    try:
        ended = subprocess.run(
            command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=_DEADLINE_SECONDS
        )
    except subprocess.TimeoutExpired:
        what = f"{target} was not imported within {_DEADLINE_SECONDS} s."
        why = "It may serve, or wait, where it is imported. Name a module that does not."
        return problem(check, what, why, _AGAIN)
    try:
        found: dict[str, Any] = json.loads(ended.stdout)
    except ValueError:
        what = f"{target} ended the process that imported it (exit code {ended.returncode})."
        return problem(check, what, "Nothing of it could be seen.", _AGAIN)
    return _failed(target, found) if "error" in found else found


def _failed(target: str, found: dict[str, Any]) -> Finding:
    check, nothing = "app.import", "Nothing of it could be seen."
    if found["step"] == "look":
        what = f"The doctor could not look at what {target} set up: {found['error']}"
        return unknown(check, what, nothing)
    did = "failed" if found["step"] == "run" else "cannot be imported"
    return problem(check, f"{target} {did}: {found['error']}", nothing, _again(target))


def _again(target: str) -> str:
    name, colon, function = target.partition(":")
    if not name.endswith(".py"):
        return _AGAIN
    module = ".".join(PurePath(name).with_suffix("").parts)
    return f"tracesplice doctor --app {shlex.quote(module + colon + function)}"


def _client(client: dict[str, Any], counted: bool, settings: Settings) -> Iterator[Finding]:
    yield _mask(client["mask"], counted)
    yield _sampling(client)
    key, url = client["public_key"], str(client["base_url"])
    if settings.public_key.value and key != settings.public_key.value:
        what = f"The application reports with the key {masked(key)} to {address(url)}."
        why = f"This environment has {masked(settings.public_key.value)}: the rest is about that."
        yield unknown("app.project", what, why, "export LANGFUSE_PUBLIC_KEY=pk-lf-...")


def _mask(mask: str, counted: bool) -> Finding:
    check = "app.mask"
    if mask == "ours":
        return ok(check, "The mask that counts usage once is set.")
    if mask == "client":
        what = "The mask is set, and leaves the counting to the application: owner='client'."
        why = "That is right if the gateway does not report to Langfuse. If it does, type:"
        return unknown(check, what, why, _MASK)
    if mask == "uncalled":
        what = "mask_otel_spans is count_usage_once itself: the parentheses are missing."
        why = "Langfuse logs a masking error and sends nothing."
        return problem(check, what, why, _MASK)
    if mask == "other":
        if counted:
            return ok(check, "A mask of your own is set, and count_usage_once() was called for it.")
        why = f"{_TWICE} Pass your mask on to ours:"
        then = _MASK.replace("()", "(then=your_mask)")
        return problem(check, "A mask of your own is set, and not ours.", why, then)
    if counted:
        what = "The mask that counts usage once was set too late: a client was there before."
        why = f"The first client of a pair of keys counts, others are ignored. {_TWICE}"
        return problem(check, what, why, _FIRST)
    what = "The mask that counts usage once is not set."
    return problem(check, what, _TWICE, _FIRST)


def _sampling(client: dict[str, Any]) -> Finding:
    check, nothing = "app.tracing", "The application reports nothing."
    if not client["tracing_enabled"]:
        what = "Tracing is switched off in the application's Langfuse client."
        return problem(check, what, nothing, "Langfuse(tracing_enabled=True)")
    sampler = _short(client["sampler"])
    if client["sampled"] == 0:
        what = f"The application samples no trace: {sampler}."
        return problem(check, what, nothing, "Langfuse(sample_rate=1.0)")
    return ok(check, f"The application traces; its sampler is {sampler}.")


def _short(sampler: str) -> str:
    """Without what it does below a parent: `ParentBased{root:AlwaysOnSampler,...}`."""
    return sampler.removeprefix("ParentBased{root:").partition(",")[0]
