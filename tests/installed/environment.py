"""The environment that holds what an application has, and of ours what a command installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from release.dist import ROOT
from rig.patience import PATIENCE
from tracesplice_testing.gateway._process import clean_environment

__all__ = ["FRESH", "Environment"]

# Each command in a new environment, which an index fills: by `make check-dist`.
FRESH = "TRACESPLICE_INSTALLED_FRESH" in os.environ
# What an application has is there already, and no index is asked.
CLOSED = {
    "PIP_NO_INDEX": "1",
    "PIP_NO_BUILD_ISOLATION": "0",  # which is how pip spells "yes"
}
OURS = Path(__file__).with_name("ours.py")


class Environment:
    """A virtual environment, driven by the commands that a page shows."""

    @classmethod
    def pinned(cls) -> Environment:
        """The one that nox made, of the client's pins."""
        return cls(Path(os.environ["TRACESPLICE_INSTALLED_VENV"]), CLOSED)

    @classmethod
    def new(cls, folder: Path) -> Environment:
        """An empty one."""
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        return cls(folder, {})

    def __init__(self, folder: Path, pip: dict[str, str]) -> None:
        self.bin = folder.absolute() / "bin"
        [self._packages] = folder.glob("lib/python3*/site-packages")
        self._env = clean_environment(
            {
                "PATH": os.pathsep.join([str(self.bin), os.environ["PATH"]]),
                "VIRTUAL_ENV": str(folder.absolute()),
                "PIP_DISABLE_PIP_VERSION_CHECK": "1",
                "PIP_ROOT_USER_ACTION": "ignore",
            },
            pip,
        )

    def run(self, command: str, **env: str) -> str:
        """Run a line of a page in the checkout's folder, as a shell does; what it said.

        Raises:
            AssertionError: it failed.
        """
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=ROOT,
            env={**self._env, **env},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def ours(self) -> dict[str, str]:
        """Our distributions, each with the file that its package is imported from.

        Raises:
            AssertionError: one of them lacks what it asks for.
        """
        said = json.loads(self.run(f"python {OURS}"))
        assert said["unmet"] == []
        return dict(said["found"])

    def clear(self) -> None:
        """Remove our distributions."""
        for found in self._packages.glob("tracesplice*"):
            shutil.rmtree(found)
