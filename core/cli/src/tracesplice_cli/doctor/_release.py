"""The release of LiteLLM: malicious ones, and those that are too old."""

from __future__ import annotations

from packaging.version import InvalidVersion, Version

from tracesplice_cli.doctor._finding import Finding, ok, problem, unknown

__all__ = ["release_finding"]

_MALICIOUS = {Version("1.82.7"), Version("1.82.8")}
_OLDEST = Version("1.80.15")
_UPGRADE = "pip install --upgrade 'litellm[proxy]!=1.82.7,!=1.82.8'  # in the gateway's environment"


def release_finding(text: str | None, status: int = 200, probe: tuple[str, ...] = ()) -> Finding:
    """Judge the release of a gateway.

    Args:
        text: As the gateway says it; None where it does not.
        status: What it answered to the question.
        probe: What to type to see it in the answer to a call; empty where that is done anyway.
    """
    check = "gateway.version"
    if text is None:
        what = f"The gateway does not tell its release (HTTP {status})."
        return unknown(check, what, "--probe sees it in the answer to a call.", *probe)
    try:
        version = Version(text)
    except InvalidVersion:
        what = f"The gateway is LiteLLM {text}, which is no release."
        return unknown(check, what, "What it does with a link is not known.")
    if version in _MALICIOUS:
        what = f"The gateway runs LiteLLM {text}, a malicious release."
        why = "Stop it, install another one, and change every key that it could read."
        return problem(check, what, why, _UPGRADE)
    if version < _OLDEST:
        what = f"The gateway's LiteLLM {text} is older than {_OLDEST}."
        return problem(check, what, "Nothing is known of what it does with a link.", _UPGRADE)
    return ok(check, f"It is LiteLLM {text}.")
