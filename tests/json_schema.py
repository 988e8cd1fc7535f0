"""A reader of the part of JSON Schema (draft 7) that our schema is written in.

It exists because no library for it runs on the oldest stack. A word that it does not know fails.
"""

import re

_TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}
_SAID = {"$schema", "title", "definitions", "required", "properties", "items"}


def faults(value, schema, root=None, path="$"):
    """Where and why `value` is not what `schema` says; members that it does not name are faults."""
    root = root or schema
    if "$ref" in schema:
        target = root["definitions"][schema["$ref"].rpartition("/")[2]]
        return faults(value, target, root, path)
    found = []
    for word, said in schema.items():
        if word not in _SAID and not _CHECKS[word](value, said, root):
            found.append(f"{path}: {word} {said}: {value!r}")
    if isinstance(value, dict):
        known = schema.get("properties", {})
        found += [
            f"{path}: without {name}" for name in schema.get("required", ()) if name not in value
        ]
        found += [f"{path}: {name} is not in the schema" for name in value if name not in known]
        for name in set(value) & set(known):
            found += faults(value[name], known[name], root, f"{path}.{name}")
    if isinstance(value, list):
        for number, item in enumerate(value):
            found += faults(item, schema.get("items", {}), root, f"{path}[{number}]")
    return found


def _is_type(value, names, _root):
    return any(
        isinstance(value, _TYPES[name]) and not isinstance(value, bool)
        for name in ([names] if isinstance(names, str) else names)
    )


_CHECKS = {
    "type": _is_type,
    "const": lambda value, said, _: value == said,
    "enum": lambda value, said, _: value in said,
    "minimum": lambda value, said, _: isinstance(value, int) and value >= said,
    "pattern": lambda value, said, _: isinstance(value, str) and re.search(said, value) is not None,
    "anyOf": lambda value, said, root: any(not faults(value, one, root) for one in said),
}
