"""Files of records, good and bad."""

from __future__ import annotations

import io

import pytest

from aima.errors import AimaError, TooLarge, UnsupportedMedia, ValidationFailed
from aima.records import Budget, Encoding, Format, Source, format_of, lines, read_records
from tests.hostile_files import wide_table


def records(
    content: bytes, format_: Format, *, most: int = 64 << 20, encoding: Encoding = "utf-8"
) -> list[object]:
    """Read a file."""
    source = Source("f", io.BytesIO(content), encoding, Budget(most, "files.max_bytes"))
    return list(read_records(source, format_))


@pytest.mark.parametrize(
    ("content", "format_", "items"),
    [
        (b'[1, {"a": null}]', "json", [1, {"a": None}]),
        (b'{"a": [1]}', "json", [{"a": [1]}]),
        (b'\xef\xbb\xbf"x"\n\n{"a": 1}\n[]', "jsonl", ["x", {"a": 1}, []]),
        (b'a,b\n1,"x, y\nz"\n\n3,4', "csv", [{"a": "1", "b": "x, y\nz"}, {"a": "3", "b": "4"}]),
        (b"a;b\r\n1;2\r\n", "csv", [{"a": "1", "b": "2"}]),
        (b"a\tb\n1\t2\n", "csv", [{"a": "1", "b": "2"}]),
        (b"", "csv", []),
        (b"", "jsonl", []),
        (b"one\ntwo\n", "text", [{"id": "f", "text": "one\ntwo\n", "metadata": {"path": "f"}}]),
        (b" \n", "markdown", []),
        (b"one\r\n\n two \n", "lines", ["one", "two"]),
    ],
)
def test_a_file_is_read_as_it_is_meant(
    content: bytes, format_: Format, items: list[object]
) -> None:
    """Whatever program wrote it."""
    assert records(content, format_) == items


def test_other_encodings_are_read_when_they_are_named() -> None:
    """Tables of some offices are older than UTF-8."""
    text = "名称\n北京\n"
    assert records(text.encode("gb18030"), "csv", encoding="gb18030") == [{"名称": "北京"}]


@pytest.mark.parametrize(
    ("content", "format_", "said"),
    [
        (b"[1,\n2,\n", "json", r"^f:3: column 1: this is no JSON"),
        (b"[NaN]", "json", "NaN is no number"),
        (b'{"a": 1, "a": 2}', "json", "twice"),
        (b"[" * 100_000, "json", "too deep"),
        (b"1" * 5000, "json", "this is no JSON"),
        (b'{"a": 1}\n{"a": }\n', "jsonl", "^f:2: column 7"),
        (b"a,b\n1,2\n3\n", "csv", "^f:3: 1 fields; the first row names 2"),
        (b"a,a\n1,2\n", "csv", "^f:1: two columns are named 'a'"),
        (b'a,b\n1,"2\n3,4\n', "csv", "^f:3: this is no CSV"),
    ],
)
def test_a_mistake_is_told_with_its_line(content: bytes, format_: Format, said: str) -> None:
    """Somebody has to find it in a file of a million."""
    with pytest.raises(ValidationFailed, match=said):
        records(content, format_)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"1\n2\0\n", "^f:2: a NUL"),
        (b"1\n2\n\xe9t\xe9\n", "^f:3: byte 1 is no UTF-8"),
        (b"\xff\xfea\0b\0", "UTF-16"),
        (b"\x1f\x8b\x08\x00packed", "^f:1"),
    ],
)
@pytest.mark.parametrize("format_", ["json", "jsonl", "csv", "text", "lines"])
def test_what_is_no_text_is_told(content: bytes, said: str, format_: Format) -> None:
    """With the place and the way out, in every format."""
    with pytest.raises(UnsupportedMedia, match=said):
        records(content, format_)


def test_a_table_of_a_million_columns_is_refused() -> None:
    """Each row of it would be a map of a million keys."""
    with pytest.raises(TooLarge, match="4096 are the most"):
        records(wide_table(), "csv")


def test_no_more_is_read_than_may_be() -> None:
    """Of all files together; what is not asked for is not read and does not count."""
    content = b'"x"\n' * 1000
    with pytest.raises(TooLarge, match=r"files\.max_bytes"):
        records(content, "jsonl", most=100)
    source = Source("f", io.BytesIO(content), "utf-8", Budget(100, "files.max_bytes"))
    assert next(read_records(source, "jsonl")) == "x"


def test_an_endless_line_is_not_read_to_its_end() -> None:
    """It need not fit into memory to be refused."""
    content = io.BytesIO(b"x" * (lines.MOST_LINE_BYTES + 1000))
    source = Source("f", content, "utf-8", Budget(1 << 40, "files.max_bytes"))
    with pytest.raises(TooLarge, match="16 MiB"):
        list(read_records(source, "lines"))


@pytest.mark.parametrize(
    ("name", "media_type", "format_"),
    [
        ("a.JSON", "", "json"),
        ("a.tsv", "", "csv"),
        ("sha256:ab", "text/csv; charset=utf-8", "csv"),
        ("a.txt", "application/octet-stream", "text"),
    ],
)
def test_a_format_is_told_by_type_or_name(name: str, media_type: str, format_: Format) -> None:
    """The type first: an artifact has no name."""
    assert format_of(name, media_type) == format_


@pytest.mark.parametrize("name", ["a.gz", "a.png", "a"])
def test_an_unknown_format_is_told(name: str) -> None:
    """Guessing would read nonsense."""
    with pytest.raises(AimaError, match="say its `format`"):
        format_of(name)
