"""One reader for each format: from the lines of a file to its records."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any, Literal, NoReturn, TypeAlias

from pydantic import JsonValue

from aima.errors import TooLarge, UnsupportedMedia
from aima.records.lines import MOST_LINE_BYTES, Source

__all__ = ["Format", "Source", "format_of", "read_records"]

Format: TypeAlias = Literal["json", "jsonl", "csv", "text", "markdown", "lines"]

MOST_COLUMNS = 4096
_DELIMITERS = ",;\t|"
_ENDINGS: dict[str, Format] = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "text",
    ".md": "markdown",
    ".markdown": "markdown",
}
_MEDIA_TYPES: dict[str, Format] = {
    "application/json": "json",
    "application/jsonl": "jsonl",
    "text/csv": "csv",
    "text/plain": "text",
    "text/markdown": "markdown",
}


def format_of(name: str, media_type: str = "") -> Format:
    """Tell how a file is read, by its media type or the ending of its name.

    Raises:
        UnsupportedMedia: neither is known.
    """
    ending = PurePosixPath(name).suffix.lower()
    found = _MEDIA_TYPES.get(media_type.partition(";")[0].strip()) or _ENDINGS.get(ending)
    if found is None:
        raise UnsupportedMedia(
            f"{name!r} ({media_type or 'of unknown type'}) is no file of records; known are "
            f"{', '.join(_ENDINGS)}, or say its `format`"
        )
    return found


def read_records(source: Source, format_: Format) -> Iterator[JsonValue]:
    """Give the records of a file, one after the other.

    Raises:
        ValidationFailed: a line makes no sense; the message begins with the file and the line.
        UnsupportedMedia: it is no text, or in another encoding.
        TooLarge: it holds more than may be read.
    """
    return _READERS[format_](source)


def _json(source: Source) -> Iterator[JsonValue]:
    text = "".join(source.lines())
    value = _parsed(text, source, 1)
    yield from value if isinstance(value, list) else [value]


def _json_lines(source: Source) -> Iterator[JsonValue]:
    for number, line in enumerate(source.lines(), 1):
        if line.strip():
            yield _parsed(line, source, number)


def _csv(source: Source) -> Iterator[JsonValue]:
    """Give each row as a map from the names in the first row to texts."""
    lines = source.lines()
    first = next(lines, "")
    delimiter = max(_DELIMITERS, key=first.count)
    csv.field_size_limit(MOST_LINE_BYTES)  # of the process; nobody here wants it smaller
    rows = csv.reader(_again(first, lines), delimiter=delimiter, strict=True)
    try:
        names = next(rows, [])
        _check_names(names, source)
        for row in rows:
            if row and len(row) != len(names):
                said = f"{len(row)} fields; the first row names {len(names)}"
                raise source.broken(rows.line_num, said)
            if row:
                yield dict(zip(names, row, strict=True))
    except csv.Error as error:
        raise source.broken(rows.line_num, f"this is no CSV: {error}") from error


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _check_names(names: list[str], source: Source) -> None:
    if len(names) > MOST_COLUMNS:
        raise TooLarge(f"{source.at(1)}: {len(names)} columns; {MOST_COLUMNS} are the most")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise source.broken(1, f"two columns are named {twice[0]!r}; rename one")


def _document(source: Source) -> Iterator[JsonValue]:
    """Give the whole text as a document, as `retrieval.index` takes it."""
    text = "".join(source.lines())
    if text.strip():
        yield {"id": source.name, "text": text, "metadata": {"path": source.name}}


def _each_line(source: Source) -> Iterator[JsonValue]:
    for line in source.lines():
        if text := line.strip():
            yield text


def _parsed(text: str, source: Source, first_line: int) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        said = f"column {error.colno}: this is no JSON: {error.msg}"
        raise source.broken(first_line + error.lineno - 1, said) from error
    except RecursionError as error:
        raise source.broken(first_line, "it is nested too deep") from error
    except ValueError as error:  # a number of more digits than Python reads
        raise source.broken(first_line, f"this is no JSON: {error}") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError(f"a key of {', '.join(values)} is there twice")
    return values


_READERS: dict[Format, Callable[[Source], Iterator[JsonValue]]] = {
    "json": _json,
    "jsonl": _json_lines,
    "csv": _csv,
    "text": _document,
    "markdown": _document,
    "lines": _each_line,
}
