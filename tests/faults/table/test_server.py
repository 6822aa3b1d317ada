"""The workers of a server that loads a spliced application before it forks call as any other."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest

from faults.scripted import OK, Reply, Scripted
from faults.table.rows import PROCESSES
from faults.table.test_processes import shares
from rig.patience import PATIENCE
from tracesplice_testing.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.table.libraries import Library
    from faults.table.outcomes import Cells
    from tracesplice_view import Observation

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
WORKERS, ROUNDS = 2, 2
REPORTS = (("x-tracesplice-reports", "true"),)


@contextmanager
def gunicorn(application: str, env: dict[str, str]) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server; its address is there before it is."""
    listening = socket.create_server(("127.0.0.1", 0))
    port, handle = listening.getsockname()[1], listening.fileno()
    options = ["--preload", "--workers", str(WORKERS), "--timeout", str(int(PATIENCE))]
    options += ["--bind", f"fd://{handle}", "--log-level", "error", "--no-control-socket"]
    running = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "gunicorn", *options, application],
        cwd=Path(__file__).parents[2],
        env={**os.environ, **env, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        pass_fds=[handle],
        stderr=subprocess.PIPE,
        text=True,
    )
    listening.close()
    try:
        yield f"http://127.0.0.1:{port}", running
    finally:
        running.kill()
        running.communicate()


def asked(url: str) -> dict[str, Any]:
    with urlopen(url, timeout=PATIENCE) as answer:
        return dict(json.loads(answer.read()))


def served(library: Library, server: Scripted, recorder: Recorder, spliced: bool) -> list[Any]:
    """Have each worker answer, and end them; returns what they answered."""
    # A worker answers one request at a time, so that the other has the second one.
    together = threading.Barrier(WORKERS, timeout=PATIENCE)
    first = [] if library.pools else [OK]
    server.script([*first, Reply(headers=REPORTS, before=together.wait)])
    application = f"faults.table.served:application({library.name!r}, {server.url!r}, {spliced})"
    with gunicorn(application, recorder.env()) as (url, running):
        with ThreadPoolExecutor(WORKERS) as pool:
            found = [each for _ in range(ROUNDS) for each in pool.map(asked, [url] * WORKERS)]
        running.send_signal(signal.SIGTERM)
        _, errors = running.communicate(timeout=PATIENCE)
    assert (running.returncode, errors) == (0, "")
    workers = {each["pid"] for each in found}
    assert len(workers) == WORKERS
    for each in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(each, 0)
    return found


def arrived(recorder: Recorder, found: list[Any]) -> list[Observation]:
    """The observations of the workers' calls, when all are there: the innermost ones."""
    places = {tuple(each["place"]) for each in found}

    def innermost(_: Recorder) -> list[Observation] | None:
        made = recorder.observations()
        inside = {(each.trace_id, each.parent_id): each for each in made}
        here = [each for each in made if (each.trace_id, each.id) in places]
        # Anthropic's SDK makes one of its own.
        return [inside.get((each.trace_id, each.id), each) for each in here] * (
            len(here) == len(places)
        ) or None

    return recorder.wait_for(innermost, PATIENCE)


@pytest.mark.parametrize(("row", "library"), shares(["gunicorn"]))
def test_a_server_that_forks(cells: Cells, row: str, library: Library) -> None:
    pytest.importorskip("gunicorn")
    server = Scripted()
    try:
        with Recorder() as recorder:
            plain = served(library, server, recorder, False)
            uncounted = arrived(recorder, plain)
            spliced = served(library, server, recorder, True)
            counted = arrived(recorder, spliced)
    finally:
        server.stop()
    links = {str(each.header("traceparent")).rpartition("-")[0] for each in server.seen}
    wrong = [
        said
        for said, is_right in (
            ("ended", [each["ended"] for each in spliced] == [each["ended"] for each in plain]),
            ("linked", {f"00-{each.trace_id}-{each.id}" for each in counted} <= links),
            ("counted", not any(sum(each.usage.values()) for each in counted)),
            ("uncounted", all(sum(each.usage.values()) for each in uncounted)),
        )
        if not is_right
    ]
    cells.add_plain(f"{PROCESSES}: {row}", library, "sync", "answer", wrong)
    assert not wrong, (spliced, plain, links, counted, uncounted)
