"""Inputs of the command line, value by value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aima.errors import NotFound, ValidationFailed
from aima.gateway.cli.inputs import (
    example_of,
    put,
    read_input_file,
    read_json_or_text,
    read_pairs,
    split_pair,
)
from aima.gateway.cli.stack_client import Refused
from aima.settings import Settings

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "count": {"type": "integer"},
        "either": {"type": ["string", "integer"]},
        "file": {"type": "string", "format": "artifact"},
        "bytes": {"$ref": "#/$defs/Artifact"},
        "list": {"type": "array"},
        "files": {"type": "array", "items": {"$ref": "#/$defs/Artifact"}},
        "frames": {
            "anyOf": [
                {
                    "type": "array",
                    "items": {"anyOf": [{"$ref": "#/$defs/Artifact"}, {"type": "object"}]},
                },
                {"type": "null"},
            ]
        },
    },
    "$defs": {"Artifact": {"type": "object", "format": "artifact", "properties": {}}},
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a data folder of their own."""
    return Settings(data=tmp_path / "data")


def read(settings: Settings, *pairs: str) -> dict[str, Any]:
    """Read pairs against the schema."""
    return read_pairs(pairs, settings, schema=SCHEMA)


@pytest.mark.parametrize(
    ("pair", "value"),
    [
        ("text=5", "5"),
        ("text=true", "true"),
        ("text=", ""),
        ("text=a=b", "a=b"),
        ("text=@@home", "@home"),
        ("text=@@", "@"),
        ("maybe=5", "5"),
        ("count=5", 5),
        ("count=five", "five"),
        ("either=5", 5),
        ("either=five", "five"),
        ("unknown=5", 5),
        ('unknown={"a": [1, null, true]}', {"a": [1, None, True]}),
        ("unknown=NaN", "NaN"),
        ("unknown=-Infinity", "-Infinity"),
        ("unknown=1_000", "1_000"),
    ],
)
def test_a_value_is_text_where_text_is_wanted_else_json_where_it_is_json(
    settings: Settings, pair: str, value: object
) -> None:
    """Nobody should have to know how a shell, JSON and YAML quote, all at once."""
    assert list(read(settings, pair).values()) == [value]


@pytest.mark.parametrize("key", ["file", "bytes", "unknown"])
def test_a_file_is_an_artifact_where_one_is_wanted_or_nothing_is_said(
    settings: Settings, tmp_path: Path, key: str
) -> None:
    """Bytes go by reference; a schema behind `$ref`, as units have them, is followed."""
    note = tmp_path / "note.txt"
    note.write_text("good morning")
    reference = read(settings, f"{key}=@{note}")[key]
    assert reference["artifact"].startswith("sha256:")
    assert (reference["media_type"], reference["bytes"]) == ("text/plain", 12)


def test_a_file_is_its_text_or_its_json_where_that_is_wanted(
    settings: Settings, tmp_path: Path
) -> None:
    """A long prompt or a list lies in a file more often than on a command line."""
    text, items = tmp_path / "prompt.txt", tmp_path / "items.yaml"
    text.write_text("Löwe\n", encoding="utf-8")
    items.write_text("- a\n- b: 1\n")
    told = read(settings, f"text=@{text}", f"list=@{items}")
    assert told == {"text": "Löwe\n", "list": ["a", {"b": 1}]}


@pytest.mark.parametrize("key", ["files", "frames"])
def test_a_list_of_files_may_be_named_in_several_ways(
    settings: Settings, tmp_path: Path, key: str
) -> None:
    """One, one after the other, a folder, a pattern, or a list in a file beside them."""
    folder = tmp_path / "notes"
    folder.mkdir()
    for name in ("b.txt", "a.txt", "c.md", ".hidden"):
        (folder / name).write_text(name)
    (folder / "deeper").mkdir()
    (folder / "list.yaml").write_text("['@c.md', '@a.txt']")

    def sizes(*pairs: str) -> list[str]:
        told = read(settings, *pairs)[key]
        names = {put(file, settings)["artifact"]: file.name for file in folder.glob("*.*")}
        return [names[one["artifact"]] for one in told]

    assert sizes(f"{key}=@{folder}/b.txt") == ["b.txt"]
    assert sizes(f"{key}=@{folder}/b.txt", f"{key}=@{folder}/a.txt") == ["b.txt", "a.txt"]
    assert sizes(f"{key}=@{folder}/*.txt") == ["a.txt", "b.txt"]
    assert sizes(f"{key}=@{folder}/list.yaml") == ["c.md", "a.txt"]
    assert sizes(f"{key}=@{folder}") == ["a.txt", "b.txt", "c.md", "list.yaml"]


def test_a_list_of_files_without_any_is_told(settings: Settings, tmp_path: Path) -> None:
    """An empty list would start a run that does nothing."""
    with pytest.raises(NotFound, match=r"there is no file in '.*\*\.jpg'"):
        read(settings, f"files=@{tmp_path}/*.jpg")
    with pytest.raises(NotFound, match=r"'nowhere.wav' does not exist"):
        read(settings, "files=@nowhere.wav")
    no_list = tmp_path / "map.json"
    no_list.write_text("{}")
    with pytest.raises(ValidationFailed, match="must hold a list of files"):
        read(settings, f"files=@{no_list}")


@pytest.mark.parametrize("key", ["file", "bytes"])
def test_a_bare_name_where_a_file_is_wanted_is_told(settings: Settings, key: str) -> None:
    """Forgetting the `@` is the commonest slip of all."""
    with pytest.raises(ValidationFailed, match=f"give it as {key}=@FILE"):
        read(settings, f"{key}=question.wav")


def test_a_reference_may_be_given_as_it_is(settings: Settings) -> None:
    """What one run returned is the input of the next."""
    reference = {"artifact": "sha256:" + "0" * 64, "media_type": "audio/wav", "bytes": 1}
    assert read(settings, f"file={json.dumps(reference)}") == {"file": reference}


@pytest.mark.parametrize("text", ["audio", "=x", ""])
def test_what_is_no_pair_is_refused(text: str) -> None:
    """A key without a value is a slip and no empty text."""
    with pytest.raises(ValidationFailed, match="is not written key=value"):
        split_pair(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [('{"a": 1, "a": 2}', "is there twice"), ("[" * 100_000, "is nested too deep")],
)
def test_json_that_nobody_means_is_refused(text: str, message: str) -> None:
    """One of two equal keys would silently win; deep nesting would end the process."""
    with pytest.raises(ValidationFailed, match=message):
        read_json_or_text(text)


def test_a_file_that_is_not_there_or_no_text_is_told(settings: Settings, tmp_path: Path) -> None:
    """The name is in the message, whichever way the file is read."""
    with pytest.raises(NotFound, match=r"there is no file 'nowhere\.txt'"):
        read(settings, "text=@nowhere.txt")
    with pytest.raises(NotFound, match=r"'nowhere.wav' does not exist"):
        read(settings, "file=@nowhere.wav")
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(ValidationFailed, match="is no text in UTF-8"):
        read(settings, f"text=@{binary}")


def test_files_in_an_input_file_are_relative_to_it(settings: Settings, tmp_path: Path) -> None:
    """A folder with an input and its recordings can be moved."""
    (tmp_path / "note.txt").write_text("good morning")
    file = tmp_path / "input.yaml"
    file.write_text('file: "@note.txt"\ntext: "@note.txt"\nlist: ["@note.txt"]\n')
    told = read_input_file(file, settings, schema=SCHEMA)
    assert told["file"]["bytes"] == 12
    assert told["text"] == "@note.txt", "a text is a text"
    assert told["list"] == ["@note.txt"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", '{"a": ,}', r"a\.json:1:7: this is no JSON"),
        ("a.json", '{"a": Infinity}', r"a\.json: Infinity is no JSON"),
        ("a.json", "[1]", "must hold a map"),
        ("a.yaml", "- a\n", "must hold a map"),
        ("a.yaml", "", "cannot be read"),
    ],
)
def test_an_input_file_with_a_mistake_is_refused(
    settings: Settings, tmp_path: Path, name: str, content: str, message: str
) -> None:
    """Half an input is none."""
    file = tmp_path / name
    file.write_text(content)
    with pytest.raises(ValidationFailed, match=message):
        read_input_file(file, settings, schema=SCHEMA)


def test_a_mistake_in_yaml_is_told_by_its_place(settings: Settings, tmp_path: Path) -> None:
    """The same diagnostics as for a workflow: an editor can jump there."""
    file = tmp_path / "a.yaml"
    file.write_text("text: a\ntext: b\n")
    with pytest.raises(Refused) as caught:
        read_input_file(file, settings, schema=SCHEMA)
    assert [(d["line"], d["column"]) for d in caught.value.diagnostics] == [(2, 1)]


@pytest.mark.parametrize("examples", [None, [], ["text"], {"a": 1}])
def test_a_workflow_without_an_example_says_so(settings: Settings, examples: object) -> None:
    """`--example` is for workflows that bring one."""
    with pytest.raises(NotFound, match=r"'w.yaml' has no example; give inputs with -i"):
        example_of({"examples": examples}, Path("w.yaml"), settings)
