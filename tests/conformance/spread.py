"""A program whose work is spread over threads, processes and an experiment.

Run as ``python -m conformance.spread KIND...``: each kind leaves one trace of its name, with a
generation of its own for each of its calls. ``experiment`` leaves a trace for each item.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import sys
import threading
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import openai
from langfuse import Langfuse, propagate_attributes

import tracesplice

COUNT = 5
PROCESSES = ("fork", "spawn", "forkserver")

# In each process: started anew, it imports this module.
langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
GATEWAY: Any = {
    "base_url": os.environ["LITELLM_PROXY_API_BASE"],
    "api_key": os.environ["LITELLM_PROXY_API_KEY"],
    "max_retries": 0,
}
client = tracesplice.splice(openai.OpenAI(**GATEWAY))


def work(number: int) -> str:
    """A call, with a generation of the program's own that says what it used."""
    with generation(number) as own:
        return told(own, client.chat.completions.create(**asked(number)))


async def awork(number: int) -> str:
    """The same without a thread."""
    with generation(number) as own:
        async with tracesplice.splice(openai.AsyncOpenAI(**GATEWAY)) as other:
            return told(own, await other.chat.completions.create(**asked(number)))


def generation(number: int) -> Any:
    return langfuse.start_as_current_observation(
        name="task", as_type="generation", model="chat", input=f"question-{number}"
    )


def asked(number: int) -> Any:
    return {"model": "chat", "messages": [{"role": "user", "content": f"question-{number}"}]}


def told(own: Any, answer: Any) -> str:
    used = {"total": answer.usage.total_tokens}
    own.update(usage_details=used, cost_details={"total": 1.0})
    return str(answer.choices[0].message.content)


def steps(number: int) -> Any:
    """The same as a generator."""
    yield work(number)


def resumed(carrier: str, number: int) -> None:
    """Work that got its carrier as JSON."""
    with tracesplice.resume(json.loads(carrier), strict=True):
        work(number)
    langfuse.flush()


def fan_out(pool: Executor) -> list[str]:
    with pool:
        return list(pool.map(tracesplice.wrap(work), range(COUNT)))


def by_threads() -> list[str]:
    found: list[str] = []
    target = tracesplice.wrap(lambda number: found.extend(steps(number)))
    threads = [threading.Thread(target=target, args=(number,)) for number in range(COUNT)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return found


def by_loop() -> list[str]:
    async def main() -> list[str]:
        run = asyncio.get_running_loop().run_in_executor
        wrapped = tracesplice.wrap(work)
        return await asyncio.gather(*(run(None, wrapped, number) for number in range(COUNT)))

    return asyncio.run(main())


def by_pool() -> list[str]:
    """``multiprocessing.Pool`` kills its processes at the end of the block."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        return pool.map(tracesplice.wrap(work), range(COUNT))


def by_carrier() -> list[str]:
    carrier = json.dumps(tracesplice.capture())
    context = multiprocessing.get_context("forkserver")
    processes = [context.Process(target=resumed, args=(carrier, each)) for each in range(COUNT)]
    for each in processes:
        each.start()
    for each in processes:
        each.join()
    return [f"echo: question-{each}" for each in range(COUNT)]


def of_item(*, item: Any, **_: Any) -> str:
    return work(item["input"])


async def in_thread(*, item: Any, **_: Any) -> str:
    return await asyncio.to_thread(work, item["input"])


async def in_loop(*, item: Any, **_: Any) -> str:
    return await awork(item["input"])


# By kind: what each item runs, and how many at a time.
EXPERIMENTS: dict[str, tuple[Any, int]] = {
    "experiment": (of_item, 1),
    "experiment in threads": (in_thread, 3),
    "asynchronous experiment": (in_loop, 3),
}


def experiment(kind: str) -> list[str]:
    task, at_once = EXPERIMENTS[kind]
    data: Any = [{"input": number} for number in range(COUNT)]
    result = langfuse.run_experiment(name="spread", data=data, task=task, max_concurrency=at_once)
    return [str(each.output) for each in result.item_results]


def run(kind: str) -> list[str]:
    if kind in PROCESSES:
        return fan_out(ProcessPoolExecutor(2, multiprocessing.get_context(kind)))
    if kind == "executor":
        return fan_out(ThreadPoolExecutor(3))
    others = {"threads": by_threads, "loop": by_loop, "pool": by_pool, "carrier": by_carrier}
    return others[kind]()


def main() -> None:
    prompt = langfuse.get_prompt("spread")
    for kind in sys.argv[1:]:
        ambient = propagate_attributes(
            user_id="ann", session_id="monday", tags=["a"], trace_name=kind, prompt=prompt
        )
        with ambient:
            if kind in EXPERIMENTS:
                answers = experiment(kind)
            else:
                with langfuse.start_as_current_observation(name="request"):
                    answers = run(kind)
        assert sorted(answers) == [f"echo: question-{each}" for each in range(COUNT)], answers
    langfuse.shutdown()


if __name__ == "__main__":
    main()
