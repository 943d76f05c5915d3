import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.api.sdk.v1 import ExternalStorageReference
from temporalio.converter import DataConverter, JSONProtoPayloadConverter, PayloadCodec
from temporalio.exceptions import ApplicationError

from aima.artifacts import FolderArtifacts
from aima.errors import NotFound
from aima.temporal.converter import VALUE_BYTES, as_failure, data_converter

KIB = 1024
INLINE = 64 * KIB
MOST = 1024 * KIB


@pytest.fixture
def store(tmp_path: Path) -> FolderArtifacts:
    """Give an empty artifact store."""
    return FolderArtifacts(tmp_path / "artifacts", max_bytes=MOST)


@pytest.fixture
def converter(store: FolderArtifacts) -> DataConverter:
    """Give a converter that keeps large values in the store."""
    return data_converter(store, inline_bytes=INLINE, max_bytes=MOST)


def files_of(store: FolderArtifacts) -> list[Path]:
    """List all files of a store."""
    return [file for file in store.folder.rglob("*") if file.is_file()]


# --- large values -------------------------------------------------------------------------------


async def test_exactly_the_inline_size_stays_and_one_byte_more_leaves(
    store: FolderArtifacts,
) -> None:
    """`inline_bytes` is the size of the largest payload in a history, metadata included."""
    converter = data_converter(store, inline_bytes=2 * KIB, max_bytes=MOST)
    [small] = await converter.encode([""])
    room = 2 * KIB - small.ByteSize() - 4  # four: lengths of data and payload need a byte more
    sizes = {}
    for length in range(room, room + 8):
        [payload] = await converter.encode(["x" * length])
        sizes[length] = payload.ByteSize()
    assert max(sizes.values()) == 2 * KIB
    assert min(sizes.values()) < 512


@pytest.mark.parametrize(
    "claim",
    [
        {},
        {"artifact": "sha256:../../../../etc/passwd", "bytes": "1"},
        {"artifact": "sha256:" + "A" * 64, "bytes": "1"},
        {"artifact": "sha256:" + "a" * 64, "bytes": "-1"},
    ],
)
async def test_a_forged_reference_reads_no_file(
    converter: DataConverter, claim: dict[str, str]
) -> None:
    """Whoever reaches Temporal can write a reference; it must never become a path."""
    with pytest.raises(ApplicationError, match="refers to no value") as caught:
        await converter.decode([reference(claim)])
    assert caught.value.non_retryable


async def test_an_artifact_that_is_no_value_is_not_taken_for_one(
    converter: DataConverter, store: FolderArtifacts
) -> None:
    """A reference to a recording, say, ends as a typed error, not as a decoder's crash."""
    sound = await store.put(b"\xff" * 100, media_type="audio/wav")
    with pytest.raises(ApplicationError, match="refers to no value"):
        await converter.decode([reference({"artifact": sound.artifact, "bytes": "100"})])


async def test_a_value_over_the_limit_is_refused(converter: DataConverter) -> None:
    """Refused in the stage that runs as workflow code; the message names the limit."""
    await converter.encode(["x" * (MOST - 2)])
    with pytest.raises(ApplicationError, match=str(MOST)) as caught:
        await converter.encode(["x" * (MOST - 1)])
    assert (caught.value.type, caught.value.non_retryable) == ("TOO_LARGE", True)


async def test_a_value_at_the_limit_fits_whatever_the_codec_adds(store: FolderArtifacts) -> None:
    """What passed the first stage must pass the others, or a workflow task hangs."""
    converter = data_converter(store, inline_bytes=INLINE, max_bytes=MOST, codec=Flip())
    value = "x" * (MOST - 2)
    assert await converter.decode(await converter.encode([value])) == [value]


def reference(claim: dict[str, str]) -> Payload:
    """Write a reference as the SDK does."""
    written = JSONProtoPayloadConverter().to_payload(
        ExternalStorageReference(driver_name="aima.artifacts", claim_data=claim)
    )
    assert written is not None
    return written


# --- strict JSON --------------------------------------------------------------------------------


@dataclasses.dataclass
class Point:
    """Two numbers."""

    x: int
    y: float


@pytest.mark.parametrize(
    "value",
    [None, b"\0\xff", "", "ü\n\u2028😀", "NaN", 0, -1.5, True, [], {"b": 1, "a": [None, {}]}],
)
async def test_values_come_back_as_they_were(converter: DataConverter, value: object) -> None:
    """What a step gives is what the next one gets."""
    [back] = await converter.decode(await converter.encode([value]))
    assert back == value


async def test_keys_keep_their_order(converter: DataConverter) -> None:
    """Document order is the order of everything; the SDK's own converter sorts."""
    [payload] = await converter.encode([{"z": 1, "a": 2}])
    assert payload.data == b'{"z":1,"a":2}'


async def test_the_largest_value_does_not_try_the_patience_of_the_sdk(
    converter: DataConverter,
) -> None:
    """A workflow that computes for two seconds is taken for stuck, for ever."""
    numbers = [number / 7 for number in range(50_000)]
    began = time.thread_time()
    [payload] = converter.payload_converter.to_payloads([numbers])
    converter.payload_converter.from_payload(payload)
    seconds = time.thread_time() - began
    assert seconds * VALUE_BYTES / len(payload.data) < 1.5


async def test_dataclasses_travel_as_maps(converter: DataConverter) -> None:
    """The SDK itself sends dataclasses, such as its stack trace query's answer."""
    payloads = await converter.encode([Point(1, 2.5)])
    assert json.loads(payloads[0].data) == {"x": 1, "y": 2.5}
    assert await converter.decode(payloads, [Point]) == [Point(1, 2.5)]


def deep(levels: int) -> list[object]:
    """Nest lists."""
    value: list[object] = []
    for _ in range(levels):
        value = [value]
    return value


def circular() -> list[object]:
    """Make a list that holds itself."""
    value: list[object] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("-inf"), object(), "\ud800", b"\xff"],
    ids=["nan", "infinity", "object", "half a pair", "bytes"],
)
async def test_what_is_no_json_is_refused_on_the_way_out(
    converter: DataConverter, value: object
) -> None:
    """Refused where it is made, not where somebody else reads it."""
    with pytest.raises(ApplicationError, match="cannot be written as JSON") as caught:
        await converter.encode([[value]])
    assert (caught.value.type, caught.value.non_retryable) == ("VALIDATION_ERROR", True)


@pytest.mark.parametrize("value", [deep(100_000), circular()], ids=["deep", "circular"])
async def test_nesting_without_end_is_refused(converter: DataConverter, value: object) -> None:
    """A RecursionError in workflow code would be retried for ever."""
    with pytest.raises(ApplicationError, match="cannot be written as JSON"):
        await converter.encode([value])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"NaN",
        b"[-Infinity]",
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b"[" * 100_000 + b"]" * 100_000,
        b"[" * 300 + b"]" * 300,
        b"1 2",
        b"\xef\xbb\xbf1",
        b"9" * 5000,
    ],
    ids=lambda data: repr(data[:12]),
)
async def test_what_is_no_json_is_refused_on_the_way_in(
    converter: DataConverter, data: bytes
) -> None:
    """Other programs write to Temporal too."""
    with pytest.raises(ApplicationError, match="cannot be read as JSON") as caught:
        await converter.decode([Payload(metadata={"encoding": b"json/plain"}, data=data)])
    assert (caught.value.type, caught.value.non_retryable) == ("VALIDATION_ERROR", True)


async def test_an_infinite_number_goes_no_further(converter: DataConverter) -> None:
    """1e999 is good JSON but reads as infinity, which no JSON can say."""
    payload = Payload(metadata={"encoding": b"json/plain"}, data=b"1e999")
    values = await converter.decode([payload])
    with pytest.raises(ApplicationError, match="cannot be written as JSON"):
        await converter.encode(values)


async def test_a_pair_of_escapes_is_one_character(converter: DataConverter) -> None:
    """Other languages escape what lies beyond 16 bits as a pair; that is good JSON."""
    payload = Payload(metadata={"encoding": b"json/plain"}, data=rb'"\ud83d\ude00"')
    assert await converter.decode([payload]) == ["😀"]


# --- failures -----------------------------------------------------------------------------------


async def told(converter: DataConverter, error: BaseException) -> Failure:
    """Say an error as a failure, as the SDK does."""
    failure = Failure()
    await converter.encode_failure(error, failure)
    return failure


async def test_a_failure_stays_small(converter: DataConverter) -> None:
    """An engine's error page as the message, or a chain of retries, must not fill the history."""
    error = ValueError("the first")
    for number in range(3000):
        later = ValueError(f"{number} " + "long " * 10_000)
        later.__cause__ = error
        error = later
    failure = await told(converter, error)
    assert failure.ByteSize() < 64 * KIB
    assert failure.message.startswith("2999 long")
    assert failure.cause.message.startswith("2998 long")


@pytest.mark.parametrize(
    "error", [ApplicationError("why", object()), ApplicationError("why \ud83d")]
)
async def test_what_cannot_be_written_does_not_hide_the_failure(
    converter: DataConverter, error: ApplicationError
) -> None:
    """The reason matters more than its details."""
    failure = await told(converter, error)
    assert failure.message.startswith("why")
    assert "told in part" in failure.message
    assert failure.application_failure_info.type == "ApplicationError"


async def test_what_can_never_be_read_is_not_tried_again(converter: DataConverter) -> None:
    """The SDK wraps a refused argument in an error that it would retry for ever."""
    wrapped = ApplicationError("Failed decoding arguments")
    wrapped.__cause__ = as_failure(NotFound("gone"))
    failure = await told(converter, wrapped)
    assert failure.message == "gone"
    assert failure.application_failure_info.non_retryable


def test_errors_keep_code_and_retryability() -> None:
    """Temporal decides on a retry by what the error says of itself."""
    error = as_failure(NotFound("there is no 'x'"))
    assert (error.type, error.non_retryable) == ("RESOURCE_NOT_FOUND", True)


# --- codec --------------------------------------------------------------------------------------


class Flip(PayloadCodec):
    """Stands for encryption: flips every bit, and refuses what it did not write."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Flip."""
        return [
            Payload(metadata={"encoding": b"flipped"}, data=flip(payload.SerializeToString()))
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Flip back."""
        return [
            Payload.FromString(flip(payload.data))
            if payload.metadata["encoding"] == b"flipped"
            else payload
            for payload in payloads
        ]


def flip(data: bytes) -> bytes:
    """Flip every bit."""
    return bytes(255 - byte for byte in data)


async def test_a_codec_sees_a_value_before_the_store_does(store: FolderArtifacts) -> None:
    """Offloaded bytes lie on a disk others may read, so they must be what the codec made."""
    converter = data_converter(store, inline_bytes=INLINE, max_bytes=MOST, codec=Flip())
    secret = "the secret " * 10_000
    [payload] = await converter.encode([secret])
    assert payload.ByteSize() < KIB
    [file] = files_of(store)
    assert b"the secret" not in file.read_bytes()
    assert b"the secret" in flip(Payload.FromString(file.read_bytes()).data)
    assert await converter.decode([payload]) == [secret]


async def test_a_codec_sees_messages_and_traces_of_failures(store: FolderArtifacts) -> None:
    """An error message quotes what was being worked on."""
    converter = data_converter(store, inline_bytes=INLINE, max_bytes=MOST, codec=Flip())
    inner = ValueError("the secret inside")
    failure = await told(converter, as_failure(NotFound("the secret")).with_traceback(None))
    outer = ApplicationError("the secret outside")
    outer.__cause__ = inner
    nested = await told(converter, outer)
    for one in (failure, nested):
        assert b"the secret" not in one.SerializeToString()
    back = await converter.decode_failure(nested)
    assert isinstance(back, ApplicationError)
    assert back.message == "the secret outside"
    assert isinstance(back.cause, ApplicationError)
    assert back.cause.message == "the secret inside"
