"""What a schema says of fields that may be null, where whoever sends them leaves those out."""

from __future__ import annotations

from typing import Any


def leaving_out(schema: Any) -> Any:  # noqa: ANN401 - any JSON
    """Say of each field that may be null that it may be absent, as units send it: nulls are not."""
    if isinstance(schema, list):
        return [leaving_out(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    told = {key: leaving_out(value) for key, value in schema.items()}
    if isinstance(fields := schema.get("properties"), dict) and "required" in schema:
        absent = {name for name, field in fields.items() if _may_be_null(field)}
        told["required"] = [name for name in schema["required"] if name not in absent]
        for name in absent:
            if told["properties"][name].get("default", 0) is None:
                told["properties"][name].pop("default")
    return told


def _may_be_null(field: Any) -> bool:  # noqa: ANN401 - any JSON
    if not isinstance(field, dict):
        return False
    return field.get("default", 0) is None or {"type": "null"} in field.get("anyOf", ())
