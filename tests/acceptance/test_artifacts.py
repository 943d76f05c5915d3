"""Bytes go in and out as files; Temporal only ever sees what they are called."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload
from temporalio.client import Client

from tests.acceptance.command import REPOSITORY, Aima
from tests.acceptance.running import running_aima

QUESTION = REPOSITORY / "workflows" / "assets" / "question.wav"
RATE, CHANNELS, SECONDS = 192_000, 2, 13.2
MOST_PAYLOAD_BYTES = 64 * 1024


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aima]:
    """AIMA, up for the whole module."""
    with running_aima(tmp_path_factory.mktemp("artifacts")) as aima:
        yield aima


@dataclass(frozen=True)
class Talk:
    """One run on a long recording: the recording, what came back, and the answer's file."""

    recording: Path
    told: dict[str, Any]
    answer: Path


@pytest.fixture(scope="module")
def talk(running: Aima, tmp_path_factory: pytest.TempPathFactory) -> Talk:
    """Ask the question in a recording of 20 MB."""
    folder = tmp_path_factory.mktemp("talk")
    recording, answer = folder / "long.wav", folder / "answer.wav"
    write_studio_recording(recording)
    told = running.ask(
        "run", "voice-assistant", "-i", f"audio=@{recording}", "-o", f"audio={answer}"
    )
    return Talk(recording, told, answer)


def write_studio_recording(target: Path) -> None:
    """Write the shipped question in 192 kHz stereo of 32 bits, then silence: 13.2 s, 20 MB."""
    resampler = av.AudioResampler(format="s32", layout="stereo", rate=RATE)
    with av.open(str(QUESTION)) as source:
        frames = [f for frame in source.decode(audio=0) for f in resampler.resample(frame)]
    frames += resampler.resample(None)
    sound = np.concatenate([frame.to_ndarray().ravel() for frame in frames])
    padded = np.zeros(int(RATE * SECONDS) * CHANNELS, dtype=np.int32)
    padded[: sound.size] = sound
    with wave.open(str(target), "wb") as file:
        file.setnchannels(CHANNELS)
        file.setsampwidth(4)
        file.setframerate(RATE)
        file.writeframes(padded.tobytes())


def test_a_recording_of_20_megabytes_is_heard(talk: Talk) -> None:
    """A studio's format is as good as a telephone's."""
    assert talk.recording.stat().st_size > 20_000_000
    assert "capital of france" in talk.told["output"]["text"].lower()


def test_no_payload_in_the_history_is_large(running: Aima, talk: Talk) -> None:
    """Bytes in a history slow every replay, and past Temporal's limit they hang the run."""
    sizes = asyncio.run(payload_sizes(running.ask("ps")["temporal"], talk.told["id"]))
    assert len(sizes) > 6, "a run of three steps has more payloads than that"
    assert max(sizes) <= MOST_PAYLOAD_BYTES


async def payload_sizes(address: str, run_id: str) -> list[int]:
    """Give the size of every payload in a run's history, wherever it hangs."""
    client = await Client.connect(address)
    history = await client.get_workflow_handle(run_id).fetch_history()
    return [size for event in history.events for size in sizes_in(event)]


def sizes_in(message: Message) -> Iterator[int]:
    """Walk a message down to its payloads."""
    if isinstance(message, Payload):
        yield message.ByteSize()
        return
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        if descriptor.message_type.GetOptions().map_entry:
            values = list(value.values())
        else:
            values = value if descriptor.is_repeated else [value]
        for inner in values:
            if isinstance(inner, Message):
                yield from sizes_in(inner)


def test_equal_bytes_are_kept_once_under_their_hash(running: Aima, talk: Talk) -> None:
    """The same recording asked about a hundred times takes its place once."""
    digest = hashlib.sha256(talk.recording.read_bytes()).hexdigest()
    kept = running.data / "artifacts" / digest[:2] / digest[2:]
    assert kept.read_bytes() == talk.recording.read_bytes()
    large = [p for p in (running.data / "artifacts").rglob("*") if p.stat().st_size > 10_000_000]
    assert large == [kept]


def test_what_is_written_out_is_what_the_store_holds(running: Aima, talk: Talk) -> None:
    """`-o` copies the very bytes, now and later."""
    reference = talk.told["output"]["audio"]
    digest = hashlib.sha256(talk.answer.read_bytes()).hexdigest()
    assert reference["artifact"] == f"sha256:{digest}"
    assert reference["bytes"] == talk.answer.stat().st_size
    again = talk.answer.with_name("again.wav")
    done = running.call("status", talk.told["id"], "-o", f"audio={again}")
    assert done.returncode == 0, done.stderr
    assert again.read_bytes() == talk.answer.read_bytes()


def test_damaged_bytes_are_an_error_and_never_an_answer(running: Aima, talk: Talk) -> None:
    """A disk that lies is told; the target file stays as it was."""
    digest = talk.told["output"]["audio"]["artifact"].removeprefix("sha256:")
    kept = running.data / "artifacts" / digest[:2] / digest[2:]
    whole = kept.read_bytes()
    target = talk.answer.with_name("target.wav")
    target.write_text("as it was")
    kept.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    try:
        done = running.call("status", talk.told["id"], "-o", f"audio={target}", "--json")
    finally:
        kept.write_bytes(whole)
    assert done.returncode == 1
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "INTERNAL_ERROR"
    assert "is damaged; restore it" in error["message"]
    assert target.read_text() == "as it was"


def test_damaged_bytes_fail_the_step_that_reads_them(running: Aima, tmp_path: Path) -> None:
    """Tried again it would read the same; the run fails at once with the reason."""
    note = tmp_path / "note.wav"
    note.write_bytes(QUESTION.read_bytes() + b"\0\0")
    digest = hashlib.sha256(note.read_bytes()).hexdigest()
    kept = running.data / "artifacts" / digest[:2] / digest[2:]
    kept.parent.mkdir(exist_ok=True)
    kept.write_bytes(b"something else")
    size = note.stat().st_size
    given = json.dumps({"artifact": f"sha256:{digest}", "media_type": "audio/wav", "bytes": size})
    done = running.call("exec", "inference.transcribe", "-i", f"audio={given}", "--json")
    assert done.returncode == 1
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "INTERNAL_ERROR"
    assert "is damaged" in error["message"]
    assert error["attempt"] == 1


def test_a_disk_that_is_full_is_told_and_loses_nothing(running: Aima, tmp_path: Path) -> None:
    """The file that did not fit is named, nothing half written stays, the rest goes on."""
    large = tmp_path / "large.wav"
    large.write_bytes(bytes(2_000_000))
    place = running.data / "artifacts" / "tmp"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], check=False, timeout=10
    )
    if mounted.returncode:
        pytest.skip("only root may mount the small disk that this needs")
    try:
        done = running.call("run", "voice-assistant", "-i", f"audio=@{large}")
        assert done.returncode == 1
        assert "no space left for" in done.stderr
        assert not list(place.iterdir())
    finally:
        subprocess.run(["umount", str(place)], check=True, timeout=10)
    assert running.ask("exec", "inference.models")["state"] == "completed"
