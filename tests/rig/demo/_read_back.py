"""Makes one run and reads it back from Langfuse's public API, the stand-in's or a real one's."""

from __future__ import annotations

import json
import secrets
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import openai

import tracesplice
from rig.demo._settings import GATEWAY_URL, MODEL, DemoError
from tracesplice_cli._failed import reason
from tracesplice_view import LangfuseReader, Run, tokens

if TYPE_CHECKING:
    from rig.demo._programs import Program
    from rig.demo._stage import Stage
    from tracesplice_testing.recorder import Observation

__all__ = ["generation_traces", "run_program"]

_HOUR = timedelta(hours=1)


def run_program(stage: Stage, program: Program, *, spliced: bool) -> Run:
    """Run the program and wait until Langfuse shows the call from both sides.

    Raises `DemoError` if the call fails, or if one side does not come in time.
    """
    mark = secrets.token_hex(4)
    stage.app.ids.clear()
    stage.app.trace_ids.clear()
    try:
        earlier = set(generation_traces(stage))
    except (OSError, ValueError) as error:
        text = f"Langfuse at {stage.server.url} cannot be read: {reason(error)}."
        raise DemoError(text) from None
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
        except (OSError, ValueError):
            continue  # too many requests, or the server is busy
        if run.generations(app=True) and run.generations(app=False) and run == last:
            return run
        last = run
    raise DemoError(_missing(stage, last, patience))


def _read(stage: Stage, mark: str, earlier: set[str]) -> Run:
    reader = _reader(stage)
    ours = list(stage.app.trace_ids)
    app = Run(tuple(filter(None, map(reader.trace, ours))), frozenset(stage.app.ids))
    used = {tokens(o) for o in app.generations(app=True)}
    new = [each for each in generation_traces(stage) if each not in earlier and each not in ours]
    others = [trace for trace in map(reader.trace, new) if trace is not None]
    of_call = [t for t in others if any(_is_ours(o, mark, used) for o in t.observations)]
    return Run((*app.traces, *of_call), app.app_ids)


def _is_ours(observation: Observation, mark: str, used: set[int]) -> bool:
    """Whether it tells of our call: by the question, or by the usage where no text is kept."""
    if observation.input is not None:
        return mark in json.dumps(observation.input, default=str)
    return bool(tokens(observation)) and tokens(observation) in used


def generation_traces(stage: Stage) -> list[str]:
    """The trace ids of the newest of the last hour's generations."""
    since = datetime.now(timezone.utc) - _HOUR
    return [trace.id for trace in next(_reader(stage).newest(since=since, kind="GENERATION"), [])]


def _reader(stage: Stage) -> LangfuseReader:
    server = stage.server
    return LangfuseReader(server.url, server.public_key, server.secret_key)


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
