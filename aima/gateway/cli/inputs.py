"""A run's input from the command line: `-i key=value`, `-i key=@file`, a file, or an example."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from aima.errors import NotFound, ValidationFailed
from aima.settings import Settings

if TYPE_CHECKING:
    from aima.dsl.types import Type

_LISTS = (".json", ".yaml", ".yml")
_PATTERN = frozenset("*?[")


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
    pairs: Iterable[str], settings: Settings, *, schema: Mapping[str, Any]
) -> dict[str, Any]:
    """Read ``key=value`` pairs, each as the schema wants it.

    ``@file`` stands for the file: for its bytes where an artifact is wanted or nothing is said,
    else for the text or the JSON in it; ``@@`` begins a text with ``@``. A value is text where
    text is wanted; otherwise JSON where it is JSON.

    Where a list of artifacts is wanted, ``@`` names a file, all files of a folder, those that a
    pattern such as ``@*.jpg`` fits, or a JSON or YAML file that lists them; said again, the key
    takes more.
    """
    from aima.dsl.types import ARTIFACT, Type

    values: dict[str, Any] = {}
    for pair in pairs:
        key, text = split_pair(pair)
        wanted = Type.of(schema).child(key) or Type.of({})
        named = text.startswith("@") and not text.startswith("@@")
        if named and _is_list_of_files(wanted):
            values[key] = [*values.get(key, ()), *_listed(text[1:], wanted, settings)]
        elif named:
            values[key] = _from_file(Path(text[1:]), wanted, settings)
        else:
            values[key] = _value(text.removeprefix("@") if text[:1] == "@" else text, wanted)
            if wanted.kinds() == {ARTIFACT} and isinstance(values[key], str):
                raise ValidationFailed(f"{key!r} must be a file: give it as {key}=@FILE")
    return values


def read_input_file(file: Path, settings: Settings, *, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Read an input from a JSON or YAML file; files in it are relative to it.

    Raises:
        NotFound: there is no such file.
        Refused: it cannot be read as YAML.
        ValidationFailed: it holds no map.
    """
    value = _structure(file)
    if not isinstance(value, dict):
        raise ValidationFailed(f"{str(file)!r} must hold a map of inputs")
    return with_files(value, file.parent, settings, schema=schema)


def example_of(schema: Mapping[str, Any], workflow: Path, settings: Settings) -> dict[str, Any]:
    """Give the first example of a workflow's inputs; files in it are relative to the workflow.

    Raises:
        NotFound: it has none.
    """
    examples = schema.get("examples")
    if not isinstance(examples, list) or not examples or not isinstance(examples[0], dict):
        raise NotFound(f"{workflow.name!r} has no example; give inputs with -i key=value")
    return with_files(examples[0], workflow.parent, settings, schema=schema)


def with_files(
    values: Mapping[str, Any], base: Path, settings: Settings, *, schema: Mapping[str, Any]
) -> dict[str, Any]:
    """Put every file that a text such as ``@question.wav`` names, where an artifact is wanted."""
    from aima.dsl.types import Type

    whole = Type.of(schema)
    return {
        key: _with_files(value, whole.child(key), base, settings) for key, value in values.items()
    }


def _with_files(value: Any, wanted: Type | None, base: Path, settings: Settings) -> Any:  # noqa: ANN401 - any JSON
    from aima.dsl.types import ARTIFACT

    if wanted is None:
        return value
    if isinstance(value, list) and not wanted.item().resolved().schema:
        return value  # of anything: a text there is a text
    if isinstance(value, list):
        return [_with_files(one, wanted.item(), base, settings) for one in value]
    named = isinstance(value, str) and value.startswith("@")
    return put(base / value[1:], settings) if named and ARTIFACT in wanted.kinds() else value


def put(file: Path, settings: Settings) -> dict[str, Any]:
    """Put a file into the store and give its reference."""
    from aima.stores import artifacts_of

    return artifacts_of(settings).put_file(file).model_dump()


def read_json_or_text(text: str) -> Any:  # noqa: ANN401 - any JSON
    """Read JSON; what is none is text.

    Raises:
        ValidationFailed: a key is there twice, or it is nested deeper than anybody means it.
    """
    try:
        return _json(text)
    except ValueError:
        return text


def _json(text: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_once)
    except RecursionError as error:
        raise ValidationFailed(f"{text[:20]!r}… is nested too deep") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValidationFailed(f"a key of {', '.join(values)} is there twice; keep one of the two")
    return values


def _value(text: str, wanted: Type) -> Any:  # noqa: ANN401 - any JSON
    return text if wanted.kinds() == {"string"} else read_json_or_text(text)


def _from_file(file: Path, wanted: Type, settings: Settings) -> Any:  # noqa: ANN401 - any JSON
    from aima.dsl.types import ARTIFACT

    kinds = wanted.kinds()
    if ARTIFACT in kinds:
        return put(file, settings)
    return _text(file) if kinds == {"string"} else _structure(file)


def _is_list_of_files(wanted: Type) -> bool:
    from aima.dsl.types import ARTIFACT

    if "array" not in wanted.kinds() or ARTIFACT in wanted.kinds():
        return False
    item = wanted.item()
    return bool(item.resolved().schema) and ARTIFACT in item.kinds()


def _listed(text: str, wanted: Type, settings: Settings) -> list[Any]:
    """Give the artifacts that a file, a folder, a pattern or a list in a file names."""
    file = Path(text)
    if file.suffix in _LISTS and file.is_file():
        value = _structure(file)
        if not isinstance(value, list):
            raise ValidationFailed(f"{text!r} must hold a list of files, such as ['@a.jpg']")
        listed: list[Any] = _with_files(value, wanted, file.parent, settings)
        return listed
    if file.is_dir():
        found = [one for one in file.iterdir() if not one.name.startswith(".")]
    elif file.exists() or not set(text) & _PATTERN:
        return [put(file, settings)]
    else:
        found = [Path(one) for one in glob(text, recursive=True)]  # noqa: PTH207 - of any root
    files = sorted(one for one in found if one.is_file())
    if not files:
        raise NotFound(f"there is no file in {text!r}; give at least one")
    return [put(one, settings) for one in files]


def _text(file: Path) -> str:
    try:
        return _bytes(file).decode()
    except UnicodeDecodeError as error:
        raise ValidationFailed(f"{str(file)!r} is no text in UTF-8") from error


def _structure(file: Path) -> Any:  # noqa: ANN401 - any JSON
    """Read JSON, where the file's name says so, or YAML."""
    if file.suffix != ".json":
        return _yaml(file)
    try:
        return _json(_text(file))
    except json.JSONDecodeError as error:
        place = f"{file}:{error.lineno}:{error.colno}"
        raise ValidationFailed(f"{place}: this is no JSON: {error.msg}") from error
    except ValueError as error:
        raise ValidationFailed(f"{file}: {error}") from error


def _yaml(file: Path) -> Any:  # noqa: ANN401 - any JSON
    from dataclasses import asdict

    from aima.dsl.load import load
    from aima.dsl.node import to_json
    from aima.gateway.cli.stack_client import Refused

    _, root, findings = load(_bytes(file), str(file))
    if findings:
        raise Refused(f"{str(file)!r} cannot be read", [asdict(found) for found in findings])
    return to_json(root) if root is not None else None


def _bytes(file: Path) -> bytes:
    from aima.disk import told

    if not file.is_file():
        raise NotFound(f"there is no file {str(file)!r}")
    with told(file):
        return file.read_bytes()
