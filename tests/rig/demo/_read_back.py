"""Makes one run and reads it back from Langfuse's public API, the stand-in's or a real one's."""

from __future__ import annotations

import json
import secrets
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.error import URLError

import openai

import tracesplice
from rig.demo._http import Refused, Unreachable, basic, get
from rig.demo._settings import GATEWAY_URL, MODEL, DemoError
from tracesplice_view import LangfuseReader, Run, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rig.demo._programs import Program
    from rig.demo._stage import Stage
    from tracesplice_testing.recorder import Observation

__all__ = ["generation_traces", "run_program"]

_HOUR = timedelta(hours=1)
_PAGE = "100"


def run_program(stage: Stage, program: Program, *, spliced: bool) -> Run:
    """Run the program and wait until Langfuse shows the call from both sides.

    Raises `DemoError` if the call fails, or if one side does not come in time.
    """
    mark = secrets.token_hex(4)
    stage.app.ids.clear()
    stage.app.trace_ids.clear()
    try:
        earlier = set(generation_traces(stage))
    except (Refused, Unreachable) as error:
        raise DemoError(f"Langfuse at {stage.server.url} cannot be read: {error}.") from None
    url, key = f"{stage.gateway.url}/v1", stage.gateway.secret_key
    code = program.load()
    client = code.connect(url, key, stage.model)
    if spliced:
        client = tracesplice.splice(client)
    question = f"What does it mean to splice two ropes? ({mark})"
    try:
        code.answer(client, stage.prompt, model=stage.model, question=question)
    except openai.APIError as error:
        raise DemoError(_failed(stage, error)) from None
    stage.langfuse.flush()
    return _wait(stage, mark, earlier)


def _wait(stage: Stage, mark: str, earlier: set[str]) -> Run:
    real = stage.settings.langfuse is not None
    interval, patience = (2.0, 120.0) if real else (0.4, 30.0)
    deadline = time.monotonic() + patience
    last: Run | None = None
    while time.monotonic() < deadline:
        time.sleep(interval)
        try:
            run = _read(stage, mark, earlier)
        except (Refused, Unreachable, URLError):
            continue  # too many requests, or the server is busy
        if run.generations(app=True) and run.generations(app=False) and run == last:
            return run
        last = run
    raise DemoError(_missing(stage, last, patience))


def _read(stage: Stage, mark: str, earlier: set[str]) -> Run:
    reader = LangfuseReader(stage.server.url, stage.server.public_key, stage.server.secret_key)
    ours = list(stage.app.trace_ids)
    app = Run(tuple(filter(None, map(reader.trace, ours))), frozenset(stage.app.ids))
    used = {tokens(o) for o in app.generations(app=True)}
    new = [i for i in dict.fromkeys(generation_traces(stage)) if i not in earlier and i not in ours]
    others = [trace for trace in map(reader.trace, new) if trace is not None]
    of_call = [t for t in others if any(_is_ours(o, mark, used) for o in t.observations)]
    return Run((*app.traces, *of_call), app.app_ids)


def _is_ours(observation: Observation, mark: str, used: set[int]) -> bool:
    """Whether it tells of our call: by the question, or by the usage where no text is kept."""
    if observation.input is not None:
        return mark in json.dumps(observation.input, default=str)
    return bool(tokens(observation)) and tokens(observation) in used


def generation_traces(stage: Stage) -> Iterator[str]:
    """The trace ids of the last hour's generations."""
    url, server = f"{stage.server.url}/api/public", stage.server
    since = (datetime.now(timezone.utc) - _HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")
    query = {"type": "GENERATION", "fromStartTime": since, "limit": _PAGE}
    headers = basic(server.public_key, server.secret_key)
    rows: list[dict[str, Any]]
    try:
        rows = get(f"{url}/v2/observations", headers, query | {"fields": "core"})["data"]
    except Refused as error:
        if error.status not in (404, 405, 501):
            raise
        rows = get(f"{url}/observations", headers, query)["data"]
    return (str(row["traceId"]) for row in rows if row.get("traceId"))


def _failed(stage: Stage, error: openai.APIError) -> str:
    real = stage.settings.gateway is not None
    hint = f"\n  export {MODEL}=<another model>" if real or stage.settings.ollama else ""
    return f"The gateway at {stage.gateway.url} did not answer the call: {error}." + (
        f"\nLook at its log, or type:{hint}" if hint else ""
    )


def _missing(stage: Stage, last: Run | None, patience: float) -> str:
    if last is None or not last.generations(app=True):
        return (
            f"Langfuse at {stage.server.url} shows no trace of the application in {patience:g} s."
        )
    text = f"The call was answered, but Langfuse shows nothing of the gateway in {patience:g} s."
    if stage.settings.gateway is None:
        return text
    return (
        f"{text}\nYour gateway must report to the same project. In its config.yaml:\n"
        '  litellm_settings:\n    success_callback: ["langfuse"]\n'
        f"with LANGFUSE_PUBLIC_KEY, LANGFUSE_SECRET_KEY and LANGFUSE_HOST={stage.server.url} in "
        f"its environment;\nor, for a gateway that the demo starts:\n  unset {GATEWAY_URL}"
    )
