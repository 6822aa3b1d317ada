"""The gateway: does it answer, is it LiteLLM, does it take the key, and how does it report?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tracesplice import TracespliceError
from tracesplice._gateway import Gateway
from tracesplice_cli._http import Answer, Unreachable, address, ask, bearer
from tracesplice_cli.doctor._callbacks import Callbacks, callback_findings, read_callbacks
from tracesplice_cli.doctor._finding import Finding, masked, ok, problem
from tracesplice_cli.doctor._release import release_finding

if TYPE_CHECKING:
    from tracesplice_cli._settings import Settings

__all__ = ["Seen", "see_gateway"]

_START = "Calls fail, or go elsewhere."
_DOWN = "Every call fails. Start it, or name where it is:"
# LiteLLM without a database answers an unknown key with 400; with a custom check, as that has it.
_REFUSED = (400, 401, 403)
_PROBE = "tracesplice doctor --probe"


@dataclass
class Seen:
    """What is known of the gateway.

    Attributes:
        findings: All of it, in words.
        url: Its address without ``/v1``; empty unless it is a LiteLLM that takes the key.
        key: The key that it takes; empty where it needs none.
        models: What may be called.
        callbacks: How it reports; None where it does not tell.
        version: LiteLLM's; None where it does not tell.
    """

    findings: list[Finding] = field(default_factory=list)
    url: str = ""
    key: str = ""
    models: tuple[str, ...] = ()
    callbacks: Callbacks | None = None
    version: str | None = None


def see_gateway(settings: Settings, *, probed: bool = False) -> Seen:
    """Ask the gateway that is named; no model is called.

    Args:
        settings: What is named.
        probed: Whether its models are called afterwards.
    """
    seen = Seen()
    url = _declared(settings)
    if isinstance(url, Finding):
        seen.findings.append(url)
        return seen
    try:
        _see(seen, settings, url, () if probed else (_PROBE,))
    except Unreachable as error:
        what = f"No gateway answers at {url} ({error})."
        seen.findings.append(problem("gateway.server", what, _DOWN, _export(settings)))
    return seen


def _declared(settings: Settings) -> str | Finding:
    check, url = "gateway.server", settings.gateway.value
    if not url:
        what = f"No gateway is named: {settings.gateway.source} is not set."
        return problem(check, what, "There is nothing to look at.", _export(settings))
    try:
        return str(Gateway.declare(url, argument="gateway"))
    except TracespliceError as error:
        return problem(check, str(error), _START, _export(settings))


def _export(settings: Settings) -> str:
    name = settings.gateway.source
    example = "http://localhost:4000"
    return f"tracesplice doctor {name} {example}" if "-" in name else f"export {name}={example}"


def _see(seen: Seen, settings: Settings, url: str, probe: tuple[str, ...]) -> None:
    ready = ask(f"{url}/health/readiness")
    if not _is_litellm(ready):
        seen.findings.append(_stranger(settings, url, ready))
        return
    seen.findings.append(ok("gateway.server", f"LiteLLM answers at {address(url)}."))
    key = settings.gateway_key.value
    key_finding = _see_models(seen, settings, url, key)
    seen.findings.append(key_finding)
    if key_finding.state == "problem":
        return
    seen.url, seen.key = url, key
    details = ask(f"{url}/health/readiness/details", bearer(key))
    if details.status == 404:  # an older LiteLLM, which says everything to everybody
        details = ready
    seen.callbacks, version = read_callbacks(details), details.field("litellm_version")
    seen.version = version if isinstance(version, str) else None
    seen.findings.append(release_finding(seen.version, details.status, probe))
    seen.findings += callback_findings(seen.callbacks, seen.version, details.status, probe)


def _is_litellm(ready: Answer) -> bool:
    # 503 while its database is away.
    said = ready.json
    return (isinstance(said, dict) and "db" in said) or "x-litellm-version" in ready.headers


def _stranger(settings: Settings, url: str, ready: Answer) -> Finding:
    what = f"{url} is no LiteLLM gateway (HTTP {ready.status} at /health/readiness)."
    why = "Only LiteLLM's proxy reads the link. It may be behind another address or path."
    if location := ready.headers.get("location"):
        why = f"It sends its callers on to {address(location)}."
    return problem("gateway.server", what, why, _export(settings))


def _see_models(seen: Seen, settings: Settings, url: str, key: str) -> Finding:
    check, name = "gateway.key", settings.gateway_key.source
    export = f"export {name}=sk-..."
    answer = ask(f"{url}/v1/models", bearer(key))
    models = answer.field("data")
    listed = answer.status == 200 and isinstance(models, list)
    if not key and not listed:
        what = f"No key for the gateway: {name} is not set."
        why = f"The gateway does not answer without one (HTTP {answer.status})."
        return problem(check, what, why, export)
    if answer.status in _REFUSED:
        what = f"The gateway refuses the key {masked(key)} of {name} (HTTP {answer.status})."
        why = "Every call fails. Without a database LiteLLM answers 400, No connected db."
        return problem(check, what, why, export)
    if not listed:
        what = f"The gateway does not list its models for {masked(key)} (HTTP {answer.status})."
        return problem(check, what, "Its own check of keys may have failed: see its log.", export)
    seen.models = tuple(
        sorted(str(each["id"]) for each in models if isinstance(each, dict) and "id" in each)
    )
    if not key:
        return ok(check, f"The gateway answers without a key; {name} is not set.")
    return ok(check, f"The gateway takes the key {masked(key)} of {name}.")
