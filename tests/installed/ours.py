"""Prints, as JSON, where our distributions of this environment are, and which needs are not met."""

from __future__ import annotations

import importlib
import json
from importlib.metadata import PackageNotFoundError, distributions, version

from packaging.requirements import Requirement


def is_unmet(text: str) -> bool:
    need = Requirement(text)
    if need.marker and not need.marker.evaluate({"extra": ""}):
        return False
    try:
        return not need.specifier.contains(version(need.name), prereleases=True)
    except PackageNotFoundError:
        return True


def main() -> None:
    ours = [each for each in distributions() if each.name.startswith("tracesplice")]
    files = {each.name: importlib.import_module(each.name.replace("-", "_")) for each in ours}
    unmet = [f"{each.name}: {need}" for each in ours for need in each.requires or []]
    print(
        json.dumps(
            {
                "found": {name: module.__file__ for name, module in files.items()},
                "unmet": [each for each in unmet if is_unmet(each.partition(": ")[2])],
            }
        )
    )


if __name__ == "__main__":
    main()
