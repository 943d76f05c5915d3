"""What a run returned, written and printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aima.artifacts import FolderArtifacts
from aima.errors import AimaError, Conflict, NotFound, ValidationFailed
from aima.gateway.cli.outputs import check_targets, show, write
from aima.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a data folder of their own."""
    return Settings(data=tmp_path / "data")


def test_targets_are_read_as_pairs(tmp_path: Path) -> None:
    """Where nobody can tell the outputs before the run, any name is taken."""
    target = tmp_path / "a=b.txt"
    assert check_targets([f"text={target}"]) == {"text": target}
    assert check_targets([f"text={target}"], ["text", "audio"]) == {"text": target}


@pytest.mark.parametrize(
    ("pair", "kind", "message"),
    [
        ("text", ValidationFailed, "is not written key=value"),
        ("txet={}/x", ValidationFailed, "no output 'txet'; did you mean 'text'"),
        ("zzz={}/x", ValidationFailed, "no output 'zzz'; there is text, audio"),
        ("text={}/none/x", NotFound, "there is no folder"),
        ("text={}", Conflict, "is a folder; name a file"),
        ("text=", Conflict, "name a file"),
    ],
)
def test_a_target_that_will_not_do_is_told_before_the_run(
    tmp_path: Path, pair: str, kind: type[AimaError], message: str
) -> None:
    """The pair is named as it was typed."""
    with pytest.raises(kind, match=message):
        check_targets([pair.format(tmp_path)], ["text", "audio"])


async def test_each_kind_of_value_is_written_as_what_it_is(
    settings: Settings, tmp_path: Path
) -> None:
    """Bytes as bytes, text as text with a line's end, all else as JSON."""
    store = FolderArtifacts(settings.data / "artifacts", max_bytes=1000)
    audio = await store.put(b"RIFF", media_type="audio/wav")
    output = {"audio": audio.model_dump(), "text": "Löwe", "list": {"n": [1]}}
    targets = {key: tmp_path / key for key in output}
    assert write(output, targets, settings) == {}
    assert (tmp_path / "audio").read_bytes() == b"RIFF"
    assert (tmp_path / "text").read_text(encoding="utf-8") == "Löwe\n"
    assert json.loads((tmp_path / "list").read_text()) == {"n": [1]}


def test_one_output_that_cannot_be_written_stops_no_other(
    settings: Settings, tmp_path: Path
) -> None:
    """As much of the work as possible is kept."""
    targets = {"a": tmp_path / "none" / "a", "b": tmp_path / "b", "c": tmp_path / "c"}
    failures = write({"a": "1", "b": "2"}, targets, settings)
    assert {key: type(error) for key, error in failures.items()} == {
        "a": NotFound,
        "c": ValidationFailed,
    }
    assert (tmp_path / "b").read_text() == "2\n"


@pytest.mark.parametrize("output", [None, "text", ["a"], 5])
def test_an_output_without_names_has_nothing_to_write(
    settings: Settings, tmp_path: Path, output: object
) -> None:
    """A run may return a bare value; that is told, not a crash."""
    failures = write(output, {"a": tmp_path / "a"}, settings)
    assert isinstance(failures["a"], ValidationFailed)
    assert "there is none" in failures["a"].message


def test_an_output_is_shown_a_line_for_each_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Files are told by kind and size; what a terminal would obey is spelt out."""
    audio = {"artifact": "sha256:0", "media_type": "audio/wav", "bytes": 86_584}
    output = {"text": "a\x1b[31mb\nc", "audio": audio, "kept": audio, "none": "", "n\x1b": 1}
    show(output, {"kept": tmp_path / "k.wav"})
    assert capsys.readouterr().out.splitlines() == [
        "  text         a\\x1b[31mb",
        "               c",
        "  audio        audio/wav, 87 KB; keep it with -o audio=FILE",
        f"  kept         {tmp_path / 'k.wav'} (audio/wav, 87 KB)",
        '  none         ""',
        "  n\\x1b        1",
    ]


def test_a_bare_value_is_shown_bare(capsys: pytest.CaptureFixture[str]) -> None:
    """A workflow whose `output` is one expression."""
    show("just\x07 this", {})
    show([1, "é"], {})
    assert capsys.readouterr().out == 'just\\x07 this\n[1, "é"]\n'
