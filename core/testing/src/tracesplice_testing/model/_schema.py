"""A value that satisfies a JSON schema, the same one each time.

Covers what structured output and tools use: objects, arrays, enums, constants, unions, references,
bounds and the common string formats; patterns are ignored.
https://platform.openai.com/docs/guides/structured-outputs
"""

from collections.abc import Mapping
from typing import cast

__all__ = ["Schema", "instance"]

Schema = Mapping[str, object]

_DEPTH = 6
_FORMATS = {
    "date": "2024-05-01",
    "time": "12:00:00Z",
    "date-time": "2024-05-01T12:00:00Z",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def instance(schema: Schema) -> object:
    """The smallest plausible value of `schema`, with all of an object's properties."""
    return _value(schema, schema, "value", _DEPTH)


def _value(schema: Schema, root: Schema, name: str, depth: int) -> object:
    schema = _resolve(schema, root)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    options = schema.get("enum") or schema.get("examples")
    if isinstance(options, list):
        return options[0]
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return _object(schema, root, depth)
    if kind == "array":
        return _array(schema, root, name, depth)
    return _scalar(str(kind), schema, name)


def _resolve(schema: Schema, root: Schema) -> Schema:
    """Follow references and take the first branch of a union."""
    while True:
        branches = next((schema[k] for k in ("anyOf", "oneOf") if schema.get(k)), None)
        if "$ref" in schema:
            found: object = root
            for step in str(schema["$ref"]).removeprefix("#").strip("/").split("/"):
                found = cast("Schema", found)[step] if step else found
            schema = cast("Schema", found)
        elif isinstance(branches, list):
            schema = branches[0]
        elif isinstance(schema.get("allOf"), list):
            parts = cast("list[Schema]", schema["allOf"])
            rest = {k: v for k, v in schema.items() if k != "allOf"}
            for part in parts:
                rest = {**_resolve(part, root), **rest}
            schema = rest
        else:
            return schema


def _object(schema: Schema, root: Schema, depth: int) -> dict[str, object]:
    properties = cast("Mapping[str, Schema]", schema.get("properties", {}))
    required = cast("list[str]", schema.get("required", []))
    # A recursive schema ends where its properties are optional.
    names = [name for name in properties if depth > 0 or name in required]
    return {name: _value(properties[name], root, name, depth - 1) for name in names}


def _array(schema: Schema, root: Schema, name: str, depth: int) -> list[object]:
    least = cast("int", schema.get("minItems", 0))
    count = max(least, 1 if depth > 0 else 0)
    items = cast("Schema", schema.get("items", {}))
    return [_value(items, root, name, depth - 1) for _ in range(count)]


def _scalar(kind: str, schema: Schema, name: str) -> object:
    if kind in ("integer", "number"):
        return _number(kind, schema)
    if kind == "boolean":
        return True
    if kind == "null":
        return None
    text = _FORMATS.get(str(schema.get("format")), name)
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength")
    return text.ljust(cast("int", shortest), ".")[: cast("int | None", longest)]


def _number(kind: str, schema: Schema) -> float:
    step = 1 if kind == "integer" else 0.5
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if isinstance(low, (int, float)):
        return low
    if isinstance(above, (int, float)):
        return above + step
    if isinstance(high, (int, float)):
        return min(1, high)
    return min(1, below - step) if isinstance(below, (int, float)) else 1
