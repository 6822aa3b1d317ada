"""What importing tracesplice takes, to importing langfuse: `make bench`.

Each import in a fresh process, in turn, so that a change of the machine's speed meets all of them;
the figures are the medians of CPU time of the import alone. Compare the ratios, not machines.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

from rich.console import Console
from rich.progress import track
from rich.table import Table

ROUNDS = 15
IMPORTS = ("langfuse", "tracesplice", "langfuse, tracesplice")
SCRIPT = "import time; start = time.process_time(); import {}; print(time.process_time() - start)"


def seconds(modules: str) -> float:
    """CPU time of importing `modules` in a process of their own."""
    command = [sys.executable, "-c", SCRIPT.format(modules)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    """Measure and print."""
    rounds = [
        {modules: seconds(modules) for modules in IMPORTS}
        for _ in track(range(ROUNDS), description="imports")
    ]
    table = Table("import", "CPU ms", "ratio to langfuse")
    for modules in IMPORTS:
        milliseconds = statistics.median(each[modules] for each in rounds) * 1e3
        ratio = statistics.median(each[modules] / each["langfuse"] for each in rounds)
        table.add_row(modules, f"{milliseconds:.0f}", f"{ratio:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
