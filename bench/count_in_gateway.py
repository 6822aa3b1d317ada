"""Counts what tracesplice runs inside a gateway: for `counts.py`.

A callback of LiteLLM's, put beside the configuration, so that it runs in the gateway's process.
The first signal starts to count; the second writes what was counted to `TALLY_FILE`.
"""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from litellm.integrations.custom_logger import CustomLogger

from tally import Tally

tally, switch = Tally(), CustomLogger()


def start(*_: object) -> None:
    """Begin to count."""
    tally.start()


def stop(*_: object) -> None:
    """Write what was counted."""
    target = Path(os.environ["TALLY_FILE"])
    written = target.with_suffix(".part")
    written.write_text(json.dumps(tally.stop()))
    written.rename(target)


tally.install()
signal.signal(signal.SIGUSR1, start)
signal.signal(signal.SIGUSR2, stop)
