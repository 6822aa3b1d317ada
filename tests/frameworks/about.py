"""What a program says of itself, to be read without the library that it uses."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["PROGRAMS", "About", "Limit", "about", "environments", "programs"]

PROGRAMS = Path(__file__).with_name("programs")


@dataclass(frozen=True)
class Limit:
    """What does not hold for a program, which is an expected failure of it.

    Attributes:
        checks: Their letters.
        why: One line, as the page shows it, and what to do instead.
        calls: The names of the calls that it is about; all of them if empty.
        modes: The gateway's modes; all of them if empty.
    """

    checks: str
    why: str
    calls: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()


@dataclass(frozen=True)
class About:
    """One program: a library with one way to trace it.

    Attributes:
        library: Its name, as the page shows it.
        packages: The distributions whose versions the page shows, the library's own first.
        tracing: How its calls get into Langfuse, one line.
        line: The line of tracesplice's to write.
        set_up: Where `tracing` comes from: the address of a page.
        environment: The set of packages, in requirements/frameworks; named like the program unless
            said.
        note: What else a user must know, one line.
        instead: What to use instead, where this way to trace the library is not to be used.
        mechanism: What this proves in each check of a change; empty if it is not run there.
        settings: Environment variables of the process, such as those that keep it off the network.
        limits: What does not hold.
    """

    library: str
    packages: tuple[str, ...]
    tracing: str
    line: str
    set_up: str
    environment: str = ""
    note: str = ""
    instead: str = ""
    mechanism: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    limits: tuple[Limit, ...] = ()

    def expected(self, call: str, mode: str) -> set[str]:
        """The checks that are known not to hold for a call in a mode."""
        return {
            check
            for limit in self.limits
            if call in (limit.calls or (call,)) and mode in (limit.modes or (mode,))
            for check in limit.checks
        }


def about(program: str) -> About:
    """Return what a program says in its `ABOUT`, without running the rest of it."""
    path = PROGRAMS / f"{program}.py"
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ABOUT":
            code = compile(ast.Expression(node.value), str(path), "eval")
            said = eval(code, {"About": About, "Limit": Limit})  # our own files
            assert isinstance(said, About)
            return said
    raise AssertionError(f"{path} has no ABOUT")


def programs(*, in_each_check: bool = False) -> list[str]:
    """The names of all programs, or of those that are run for each change."""
    names = sorted(path.stem for path in PROGRAMS.glob("[a-z]*.py"))
    return [name for name in names if not in_each_check or about(name).mechanism]


def environments(*, in_each_check: bool = False) -> list[str]:
    """The sets of packages that those programs run on."""
    chosen = programs(in_each_check=in_each_check)
    return sorted({about(each).environment or each for each in chosen})


if __name__ == "__main__":
    print(*environments(in_each_check=True))  # what `make pins` gives hashes
