"""A run's input from the command line: `-i key=value`, `-i key=@file`, a file, or an example."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from aima.errors import NotFound, ValidationFailed
from aima.settings import Settings


def split_pair(text: str) -> tuple[str, str]:
    """Split ``key=value``.

    Raises:
        ValidationFailed: there is no key or no ``=``.
    """
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise ValidationFailed(f"{text!r} is not written key=value")
    return key, value


def read_pairs(
    pairs: Iterable[str], settings: Settings, *, schema: Mapping[str, Any], base: Path
) -> dict[str, Any]:
    """Read ``key=value`` pairs; ``@file`` becomes an artifact, ``@@`` a plain ``@``.

    A value is text where the schema wants text; otherwise JSON where it is JSON.
    """
    properties = schema.get("properties", {})
    values: dict[str, Any] = {}
    for pair in pairs:
        key, text = split_pair(pair)
        if text.startswith("@") and not text.startswith("@@"):
            values[key] = put(base / text[1:], settings)
        else:
            kind = properties.get(key, {}).get("type")
            values[key] = _value(text.removeprefix("@") if text[:1] == "@" else text, kind)
    return values


def read_input_file(file: Path) -> dict[str, Any]:
    """Read an input from a JSON or YAML file.

    Raises:
        NotFound: there is no such file.
        ValidationFailed: it holds no map.
    """
    from aima.dsl.load import load
    from aima.dsl.node import to_json

    if not file.is_file():
        raise NotFound(f"there is no file {str(file)!r}")
    _, root, findings = load(file.read_bytes(), str(file))
    value = to_json(root) if root is not None else None
    if findings:
        first = findings[0]
        raise ValidationFailed(f"{file}:{first.line}:{first.column}: {first.message}")
    if not isinstance(value, dict):
        raise ValidationFailed(f"{str(file)!r} must hold a map of inputs")
    return value


def example_of(schema: Mapping[str, Any], workflow: Path, settings: Settings) -> dict[str, Any]:
    """Give the first example of a workflow's inputs; files in it are relative to the workflow.

    Raises:
        NotFound: it has none.
    """
    examples = schema.get("examples")
    if not isinstance(examples, list) or not examples or not isinstance(examples[0], dict):
        raise NotFound(f"{workflow.name!r} has no example; give inputs with -i key=value")
    return with_files(examples[0], workflow.parent, settings)


def with_files(values: Mapping[str, Any], base: Path, settings: Settings) -> dict[str, Any]:
    """Put every file that a text such as ``@assets/question.wav`` names into the store."""
    return {
        key: put(base / value[1:], settings)
        if isinstance(value, str) and value.startswith("@")
        else value
        for key, value in values.items()
    }


def put(file: Path, settings: Settings) -> dict[str, Any]:
    """Put a file into the store and give its reference."""
    from aima.stores import artifacts_of

    return artifacts_of(settings).put_file(file).model_dump()


def read_json_or_text(text: str) -> Any:  # noqa: ANN401 - any JSON
    """Read JSON; what is none is text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _value(text: str, kind: object) -> Any:  # noqa: ANN401 - any JSON
    return text if kind == "string" else read_json_or_text(text)
