"""What the finalizer of LiteLLM's streams writes, which may run in the middle of any request."""

from __future__ import annotations

import json
import subprocess

from rig.patience import PATIENCE
from tracesplice_testing.gateway._process import clean_environment, find_venv

PROGRAM = """
import contextvars, datetime, json, sys

import litellm
from litellm._logging import session_id_var, trace_id_var
from litellm.litellm_core_utils.litellm_logging import Logging
from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper

from tracesplice_litellm._loggers import loggers


def written():
    log = Logging("model", [], True, "acompletion", datetime.datetime.now(), "call", "function")
    stream = CustomStreamWrapper(None, "model", log, "openai")
    before = {each: each.get() for each in contextvars.copy_context()}
    del stream
    after = contextvars.copy_context()
    return sorted(each.name for each in after if each not in before or each.get() != before[each])


def results():
    litellm.request_correlation_in_logs = False
    yield contextvars.Context().run(written)
    litellm.request_correlation_in_logs = True
    yield contextvars.Context().run(written)


unprepared = [*results()]
litellm.success_callback = ["langfuse"]
loggers.prepared()
print(json.dumps([sys.version_info < (3, 12), unprepared, [*results()]]))
"""


def test_it_writes_only_what_it_changes() -> None:
    process = subprocess.run(
        [find_venv() / "bin" / "python", "-c", PROGRAM],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    does_harm, unprepared, prepared = json.loads(process.stdout.splitlines()[-1])
    # Once the first is empty, LiteLLM has no need of `tracesplice_litellm._streams` any more.
    assert unprepared == [["session_id", "trace_id"], ["trace_id"]]
    assert prepared == [[] if does_harm else ["session_id", "trace_id"], ["trace_id"]]
