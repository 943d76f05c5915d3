"""Inputs from the command line: each value is what the schema says it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command import Aima
from tests.acceptance.running import running_aima

TAKES = """\
name: takes
inputs:
  type: object
  properties:
    text: {type: string}
    count: {type: number}
    flag: {type: boolean}
    map: {type: object}
    list: {type: array}
    file: {type: string, format: artifact}
  examples:
    - {text: "@not a file", file: "@note.txt"}
steps:
  - {id: models, type: inference.models, input: {type: asr}}
output: {given: "${input}"}
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aima]:
    """AIMA, up for the whole module, in a folder with some files."""
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "takes.yaml").write_text(TAKES)
    (folder / "note.txt").write_text("good morning")
    (folder / "list.json").write_text("[1, 2]")
    (folder / "all.json").write_text('{"text": "from JSON", "count": 3, "file": "@note.txt"}')
    (folder / "all.yaml").write_text("text: from YAML\nflag: true\n")
    with running_aima(folder) as aima:
        aima.cwd = folder
        yield aima


def given(aima: Aima, *arguments: str | Path) -> dict[str, Any]:
    """Run the workflow that returns its input."""
    told: dict[str, Any] = aima.ask("run", "takes.yaml", *arguments)["output"]["given"]
    return told


def test_each_value_is_read_as_the_schema_wants_it(running: Aima) -> None:
    """`-i text=5` is a text and `-i count=5` a number, and nobody has to quote anything."""
    told = given(
        running,
        *("-i", "text=5", "-i", "count=5", "-i", "flag=true"),
        *("-i", 'map={"a": [1, null]}', "-i", "list=[1]"),
    )
    assert told == {
        "text": "5",
        "count": 5,
        "flag": True,
        "map": {"a": [1, None]},
        "list": [1],
    }


def test_a_file_is_what_is_wanted_of_it(running: Aima) -> None:
    """`@file` gives bytes as an artifact, its text, or the JSON in it; `@@` is a plain `@`."""
    told = given(running, "-i", "file=@note.txt", "-i", "text=@note.txt", "-i", "list=@list.json")
    assert told["text"] == "good morning"
    assert told["list"] == [1, 2]
    assert told["file"]["bytes"] == len("good morning")
    assert told["file"]["media_type"] == "text/plain"
    assert given(running, "-i", "text=@@home")["text"] == "@home"


def test_a_whole_input_comes_from_json_or_yaml(running: Aima, tmp_path: Path) -> None:
    """Files named in it are relative to it, and single values override it."""
    folder = running.cwd
    elsewhere = Aima(running.data, tmp_path)
    told = elsewhere.ask(
        "run", folder / "takes.yaml", "--input-file", folder / "all.json", "-i", "count=1e3"
    )["output"]["given"]
    assert told["text"] == "from JSON"
    assert told["count"] == 1000
    assert told["file"]["bytes"] == len("good morning")
    assert given(running, "--input-file", "all.yaml") == {"text": "from YAML", "flag": True}


def test_an_example_puts_files_only_where_files_are_wanted(running: Aima) -> None:
    """A text may begin with `@` without being the name of a file."""
    told = given(running, "--example")
    assert told["text"] == "@not a file"
    assert told["file"]["bytes"] == len("good morning")


def test_a_text_of_three_megabytes_goes_through(running: Aima) -> None:
    """A whole book is an input; what is too much for a request is told before it is sent."""
    book = running.cwd / "book.txt"
    book.write_text("word " * 600_000)
    assert len(given(running, "-i", f"text=@{book}")["text"]) == 3_000_000
    book.write_text("word " * 2_400_000)
    done = running.call("run", "takes.yaml", "-i", f"text=@{book}", "--json")
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "TOO_LARGE"
    assert "give large values as files" in error["message"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-i", "count=many"), "'count': 'many' is not of type 'number'"),
        (("-i", "count=NaN"), "'count': 'NaN' is not of type 'number'"),
        (("-i", "count=1e999"), "a number is infinite"),
        (("-i", "flag=yes"), "'flag': 'yes' is not of type 'boolean'"),
        (("-i", "cuont=1"), "there is no input 'cuont', did you mean 'count'?"),
        (("-i", "file=note.txt"), "'file' must be a file: give it as file=@FILE"),
        (("-i", "text"), "'text' is not written key=value"),
        (("-i", "=5"), "'=5' is not written key=value"),
        (("-i", "map=" + "[" * 5000), "is nested too deep"),
        (("-i", 'map={"a": 1, "a": 2}'), "is there twice"),
        (("-i", "text=@takes.pickle"), "there is no file 'takes.pickle'"),
        (("-i", "file=@takes.pickle"), "'takes.pickle' does not exist"),
        (("--input-file", "none.json"), "there is no file 'none.json'"),
        (("--input-file", "note.txt"), "'note.txt' must hold a map of inputs"),
        (("--input-file", "list.json"), "'list.json' must hold a map of inputs"),
    ],
)
def test_what_does_not_fit_is_told(running: Aima, arguments: tuple[str, ...], message: str) -> None:
    """One line that names the value and what was expected; no run is begun."""
    done = running.call("run", "takes.yaml", *arguments)
    assert done.returncode in (2, 3)
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("broken.json", '{"text": ,}', "broken.json:1:10: this is no JSON"),
        ("twice.json", '{"text": "a", "text": "b"}', "is there twice"),
        ("nan.json", '{"count": NaN}', "nan.json: NaN is no JSON"),
        ("broken.yaml", "text: *nobody\n", "broken.yaml:1:7: error[yaml/"),
        ("latin.json", b'{"text": "caf\xe9"}', "'latin.json' is no text in UTF-8"),
    ],
)
def test_an_input_file_with_a_mistake_is_told_with_its_place(
    running: Aima, name: str, text: str | bytes, message: str
) -> None:
    """A mistake in a file is found by its line and column."""
    (running.cwd / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    done = running.call("run", "takes.yaml", "--input-file", name)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
