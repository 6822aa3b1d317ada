"""The environment: is tracing on, and does every trace get reported?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracesplice_cli.doctor._finding import Finding, ok, problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["environment_findings"]

_NOTHING = "The application reports nothing, so that the gateway's traces stay alone."
_PART = "Traces that are not sampled are missing in Langfuse. That may be what you want."


def environment_findings(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what the variables say that Langfuse's SDK and OpenTelemetry's read.

    Sources: langfuse/_client/client.py, and
    https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/.
    """
    off = [
        name
        for name, value in (("LANGFUSE_TRACING_ENABLED", "false"), ("OTEL_SDK_DISABLED", "true"))
        if environment.get(name, "").lower() == value
    ]
    for name in off:
        what = f"Tracing is switched off by {name}={environment[name]}."
        yield problem("environment.tracing", what, _NOTHING, f"unset {name}")
    if not off:
        yield ok("environment.tracing", "Nothing in the environment switches tracing off.")
    yield _langfuse_rate(environment.get("LANGFUSE_SAMPLE_RATE", "1"))
    yield _sampler(
        environment.get("OTEL_TRACES_SAMPLER", "").strip().lower(),
        environment.get("OTEL_TRACES_SAMPLER_ARG", "1"),
    )


def _langfuse_rate(text: str) -> Finding:
    check, name = "environment.sample_rate", "LANGFUSE_SAMPLE_RATE"
    rate = _rate(text)
    if rate is None:
        why = "Langfuse's SDK takes a number from 0 to 1, and raises an error for anything else."
        return problem(check, f"{name}={text} is no rate.", why, f"unset {name}")
    if rate == 0:
        return problem(check, f"No trace is sampled: {name}={text}.", _NOTHING, f"unset {name}")
    return ok(check, _share(rate, name))


def _sampler(name: str, argument: str) -> Finding:
    check, variable = "environment.sampler", "OTEL_TRACES_SAMPLER"
    kind = name.removeprefix("parentbased_")
    # An argument that is no number counts as 1.
    rate = _rate(argument) if kind == "traceidratio" else None
    if kind == "always_off" or rate == 0:
        what = f"No trace is sampled: {variable}={name}."
        return problem(check, what, _NOTHING, f"unset {variable}")
    return ok(check, _share(1 if rate is None else rate, variable))


def _rate(text: str) -> float | None:
    try:
        rate = float(text)
    except ValueError:
        return None
    return rate if 0 <= rate <= 1 else None


def _share(rate: float, name: str) -> str:
    if rate == 1:
        return f"Every trace is sampled, as far as {name} goes."
    return f"{name}: {rate:.3g} of all traces are sampled. {_PART}"
