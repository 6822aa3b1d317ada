"""Hostile requests to real gateways, one with the adapter and one without: ``make fuzz``.

``python -m fuzz.gateways --requests 20000`` sends that many to each of both, spread over the three
modes. Status and answer must be the same, the observation must arrive, and the memory of the one
with the adapter must not grow more than that of the other. Then 1,000 mixed calls are made at once,
and each one's user, session and prompt must be on its own generation alone.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from conformance.curl import PROMPT, REPORTS
from conformance.harness import GATEWAY_SCOPES
from conformance.test_the_adapter_spans import MIX, User, all_arrived
from fuzz.hostile import any_request
from rig.patience import PATIENCE
from tracesplice_testing.gateway import Gateway, GatewayMode
from tracesplice_testing.model import ModelServer
from tracesplice_testing.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fuzz.hostile import Request
    from tracesplice_testing.gateway import Reply

BATCH, THREADS, TOGETHER = 500, 8, 1_000
VARYING = re.compile("(^|_)id$|^created|_at$")
MAX_GROWTH = 40_000  # kB, beyond what the gateway without the adapter grows


def memory(gateway: Gateway) -> int:
    """Resident kB of a gateway's process."""
    lines = Path(f"/proc/{gateway.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def answered(reply: Reply) -> tuple[int, object]:
    """Status and answer, without ids and times."""
    if reply.status != 200:
        return reply.status, None
    if not reply.body.startswith(b"{"):
        lines = reply.body.decode().splitlines()
        chunks = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
        return 200, str([_without_ids(each) for each in chunks])
    return 200, str(_without_ids(reply.json))


def _without_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_ids(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: _without_ids(each) for key, each in value.items() if not VARYING.search(key)}


def ask(gateway: Gateway, request: Request) -> Reply:
    return gateway.post(*request, timeout=PATIENCE)


class Pair:
    """A gateway with the adapter and one without, with a recorder for each.

    Attributes:
        answers: How often what was answered, with the adapter.
    """

    def __init__(self, mode: GatewayMode, model: ModelServer) -> None:
        self.recorders = [Recorder(), Recorder()]
        self.answers = Counter[str]()
        self.mode = mode
        self._model = model

    def __enter__(self) -> Pair:
        for each in self.recorders:
            each.__enter__()
        self.recorders[0].add_prompt(PROMPT, "Never used", labels=[])
        self.recorders[0].add_prompt(PROMPT, "Say {{what}}", labels=["production"])
        self.ours, self.plain = self.gateways = [
            Gateway(self.mode, langfuse_env=each.env(), model_url=self._model.url, adapter=adapter)
            for each, adapter in zip(self.recorders, (True, False), strict=True)
        ]
        for gateway in self.gateways:
            gateway.start()
        for gateway in self.gateways:
            gateway.wait_ready()
        return self

    def __exit__(self, *_: object) -> None:
        for gateway in self.gateways:
            gateway.stop()
        for each in self.recorders:
            each.__exit__(None, None, None)

    def send(self, requests: list[Request]) -> Iterator[str]:
        """Send requests to both; says what is wrong."""
        for each in self.recorders:
            each.clear()
        with ThreadPoolExecutor(THREADS) as pool:
            ours, plain = (list(pool.map(partial(ask, to), requests)) for to in self.gateways)
        reported = 0
        for request, one, other in zip(requests, ours, plain, strict=True):
            if answered(one) != answered(other):
                yield f"{answered(other)} became {answered(one)}: {request}"
            if one.status == 200 and one.headers[REPORTS] not in ("true", "false"):
                yield f"{REPORTS}: {one.headers[REPORTS]}: {request}"
            reported += one.headers[REPORTS] == "true"
            says = "reported" if one.headers[REPORTS] == "true" else "not reported"
            self.answers[f"{request[0]} {one.status}, {says}"] += 1
        try:
            self.recorders[0].wait_for(lambda _: self._generations() >= reported or None, PATIENCE)
        except Exception:  # noqa: BLE001  (said below)
            yield f"{reported} calls are reported, {self._generations()} arrived"
        bad = [each for each in self.recorders[0].problems() if not each.kind.startswith("prompt")]
        if bad:
            yield f"{len(bad)} problems, such as {bad[0]}"

    def together(self) -> Iterator[str]:
        """Make mixed calls at once; says which are not their own."""
        recorder = self.recorders[0]
        recorder.clear()
        users = [User(self.ours, recorder) for _ in range(TOGETHER)]

        def call(at: int) -> None:
            path, body = MIX[at % len(MIX)]
            users[at].ask(body, path)

        with ThreadPoolExecutor(64) as pool:
            list(pool.map(call, range(TOGETHER)))
        found = recorder.wait_for(lambda _: all_arrived(recorder, users), timeout=PATIENCE)
        yield from (f"not its own: {each}" for each in users if not each.own(found[each.trace_id]))

    def _generations(self) -> int:
        return sum(
            each.scope in GATEWAY_SCOPES and each.type in ("GENERATION", "EMBEDDING")
            for each in self.recorders[0].observations()
        )


def run(mode: GatewayMode, count: int, seed: int, model: ModelServer) -> list[str]:
    """Fuzz one mode; returns what is wrong."""
    chance, wrong, began = Random(f"{seed} {mode.value}"), list[str](), time.monotonic()
    with Pair(mode, model) as pair:
        grown: list[int] = []
        for sent in range(0, count, BATCH):
            batch = [any_request(chance) for _ in range(min(BATCH, count - sent))]
            wrong += pair.send(batch)
            if sent in (count // 3 // BATCH * BATCH, (count - 1) // BATCH * BATCH):
                grown.append(memory(pair.ours) - memory(pair.plain))
            print(
                f"{mode.value}: {sent + len(batch)}, {len(wrong)} wrong, "
                f"{time.monotonic() - began:.0f} s, "
                f"{memory(pair.ours)} and {memory(pair.plain)} kB",
                flush=True,
            )
        if grown[-1] - grown[0] > MAX_GROWTH:
            wrong.append(f"memory: {grown[-1] - grown[0]} kB more than without the adapter")
        wrong += pair.together()
    print(*(f"{pair.answers[each]:>8} {each}" for each in sorted(pair.answers)), sep="\n")
    print(f"{mode.value}: {TOGETHER} at once, {len(wrong)} wrong", flush=True)
    return wrong


def main() -> int:
    """Fuzz all modes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    modes = list(GatewayMode)
    with ModelServer() as model:
        wrong = [
            f"{mode.value}: {each}"
            for mode in modes
            for each in run(mode, -(-given.requests // len(modes)), given.seed, model)
        ]
    print("\n".join(wrong[:50]))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
