"""What the sources hold: lines, modules, and state that outlives a call. For `counts.py`."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["lines", "state"]

ROOT = Path(__file__).parents[1]
MUTABLE = (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp)
IMMUTABLE_CALLS = {
    *(
        "TypeVar",
        "ParamSpec",
        "NewType",
        "compile",
        "frozenset",
        "tuple",
        "getLogger",
        "namedtuple",
    ),
    *("MappingProxyType", "attrgetter", "itemgetter", "methodcaller", "struct", "Struct", "field"),
    *("HookspecMarker", "HookimplMarker", "guarded", "object", "int", "str", "float", "bytes"),
}
CACHES = {"lru_cache", "cache"}


def lines() -> dict[str, dict[str, int]]:
    """Modules and lines of each distribution, and of the tests."""
    sources = {str(path.parent.relative_to(ROOT)): path for path in _distributions()}
    found = {name: _size(source.rglob("*.py")) for name, source in sources.items()}
    product = {key: sum(each[key] for each in found.values()) for key in ("modules", "lines")}
    return {**found, "product": product, "tests": _size((ROOT / "tests").rglob("*.py"))}


def state() -> dict[str, list[str]]:
    """Of each distribution: what is bound in its modules, and can change."""
    return {
        str(source.parent.relative_to(ROOT)): [
            f"{path.stem}.{name}"
            for path in sorted(source.rglob("*.py"))
            for name in _module_state(ast.parse(path.read_text()))
        ]
        for source in _distributions()
    }


def _distributions() -> list[Path]:
    listed = (ROOT / "distributions.txt").read_text().splitlines()
    folders = [line.split()[0] for line in listed if line and not line.startswith("#")]
    return [ROOT / folder / "src" for folder in folders]


def _size(paths: Iterator[Path]) -> dict[str, int]:
    texts = [path.read_text() for path in paths]
    return {"modules": sum(bool(text) for text in texts), "lines": sum(map(_count, texts))}


def _count(text: str) -> int:
    return text.count("\n")


def _module_state(module: ast.Module) -> Iterator[str]:
    """Names that a ``global`` statement sets, that hold something mutable, and caches."""
    declared = {
        name for node in ast.walk(module) if isinstance(node, ast.Global) for name in node.names
    }
    yield from sorted(f"{name} (global)" for name in declared)
    for node in module.body:
        for name, value in _bound(node):
            if name not in declared and name != "__all__" and _is_mutable(name, value):
                yield f"{name} ({_kind(value)})"
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            named = {_called(each) for each in node.decorator_list}
            if named & CACHES:
                yield f"{node.name} (cache)"


def _bound(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from ((each.id, node.value) for each in targets if isinstance(each, ast.Name))


def _is_mutable(name: str, value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        return _called(value) not in IMMUTABLE_CALLS
    # A table in capitals is a constant.
    return isinstance(value, MUTABLE) and not name.isupper()


def _kind(value: ast.expr) -> str:
    return _called(value) or type(value).__name__.lower()


def _called(node: ast.expr) -> str:
    """The last part of the name of what is called; of `guarded("x")(f)`, `guarded`."""
    while isinstance(node, ast.Call):
        node = node.func
    found: Any = getattr(node, "attr", None) or getattr(node, "id", "")
    return str(found)
