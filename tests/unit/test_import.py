"""Importing tracesplice starts nothing, patches nothing and connects nowhere."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import pytest

from tracesplice_testing.model import ModelServer

# Notes what happens while tracesplice is imported; with the frameworks imported before or not.
SCRIPT = """
import json, logging, sys, threading
PATCHABLE = "openai", "langfuse", "httpx", "langchain_core", "langchain_openai", "llama_index"
frameworks = {frameworks}
for name in frameworks:
    __import__(name)

def state():
    found = {{}}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in PATCHABLE and module is not None:
            found.update({{(name, key): id(value) for key, value in vars(module).items()}})
            for key, value in vars(module).items():
                if isinstance(value, type):
                    # pydantic completes its models when it likes
                    found.update({{(name, key, k): id(v) for k, v in vars(value).items()
                        if not k.startswith("__pydantic_")}})
    return found

before, threads = state(), threading.active_count()
handlers, level = logging.root.handlers[:], logging.getLogger("tracesplice").level
events = []
sys.addaudithook(lambda event, _: events.append(event))
import {module}
events = sorted({{e for e in events if e.partition(".")[0] in ("socket", "subprocess", "os")}})
after = state()
print(json.dumps({{
    "events": [e for e in events if e not in ("os.listdir", "os.scandir")],
    "threads": threading.active_count() - threads,
    "patched": [".".join(k) for k, v in before.items() if after.get(k) != v],
    "modules": sorted(sys.modules),
    "logging": (logging.root.handlers == handlers
        and logging.getLogger("tracesplice").level == level),
}}))
"""
OURS = [
    "tracesplice",
    "tracesplice.adapter",
    "tracesplice._cli",
    "tracesplice_langchain",
    "tracesplice_llama_index",
]
PLUGINS = ["tracesplice_langchain._plugin", "tracesplice_llama_index._plugin"]
FRAMEWORKS = {"openai", "langchain", "langchain_core", "llama_index", "tracesplice_openai"}


@lru_cache
def imported(module: str, *frameworks: str) -> dict[str, Any]:
    script = SCRIPT.format(module=module, frameworks=list(frameworks))
    command = [sys.executable, "-W", "error", "-c", script]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stderr == ""
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


@pytest.mark.parametrize("module", OURS)
def test_it_opens_no_socket_and_starts_nothing(module: str) -> None:
    found = imported(module)
    assert found["events"] == []
    assert found["threads"] == 0
    assert found["logging"]


@pytest.mark.parametrize("module", [*OURS, *PLUGINS])
def test_it_imports_no_framework(module: str) -> None:
    modules = imported(module)["modules"]
    assert module in modules
    assert not FRAMEWORKS & {name.partition(".")[0] for name in modules}
    assert "langfuse.openai" not in modules
    assert "langfuse.langchain" not in modules


def test_it_needs_no_command_line_extra() -> None:
    assert not {"click", "rich"} & set(imported("tracesplice")["modules"])
    assert not {"click", "rich"} & set(imported("tracesplice._cli")["modules"])


def test_nothing_of_ours_patches_a_framework_that_is_there() -> None:
    wanted = [
        "langfuse.openai",
        "langfuse.langchain",
        "langchain_openai",
        "llama_index.llms.openai",
    ]
    there = [name for name in wanted if find_spec(name.partition(".")[0])]
    found = imported(", ".join(["tracesplice", "tracesplice_openai", *PLUGINS]), *there)
    assert found["patched"] == []
    assert {*there, *PLUGINS} <= set(found["modules"])


def run(script: str, *arguments: str) -> set[str]:
    """What a script prints, in a process of its own."""
    command = [sys.executable, "-W", "error", "-c", script, *arguments]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


BEYOND_LANGFUSE = """
import sys
import langfuse
before = set(sys.modules)
import tracesplice
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
"""


def test_it_loads_little_beyond_langfuse() -> None:
    loaded = run(BEYOND_LANGFUSE)
    assert loaded <= {"tracesplice", "tracesplice_wire", "packaging", "pluggy", "wrapt"}


SPLICES_A_CLIENT = """
import sys
import langfuse, openai, tracesplice
before = set(sys.modules)
with openai.OpenAI(base_url="http://gateway", api_key="k") as client:
    tracesplice.unsplice(tracesplice.splice(client))
tracesplice.instrument(gateway="http://gateway")
tracesplice.uninstrument()
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
"""
ELSEWHERE = {"langchain", "langchain_core", "langchain_openai", "langgraph"}


def test_splicing_a_client_imports_no_framework() -> None:
    pytest.importorskip("openai")
    imported = run(SPLICES_A_CLIENT)
    assert "tracesplice_openai" in imported
    assert not imported & {*ELSEWHERE, "llama_index", "openinference", "celery"}


CALLS_A_MODEL = """
import sys
import langfuse, tracesplice
from llama_index.llms.openai_like import OpenAILike
model = OpenAILike(model="m", api_base=sys.argv[1], api_key="k", is_chat_model=True)
before = set(sys.modules)
tracesplice.splice(model)
model.complete("hi")
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
"""


def test_a_models_first_call_imports_no_other_framework() -> None:
    pytest.importorskip("llama_index.llms.openai_like")
    with ModelServer() as server:
        imported = run(CALLS_A_MODEL, f"{server.url}/v1")
        assert len(server.calls) == 1
    assert "tracesplice_llama_index" in imported
    assert not imported & ELSEWHERE
