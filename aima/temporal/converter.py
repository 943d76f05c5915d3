"""What Temporal keeps of a value: strict JSON, and for large values a reference to an artifact.

On the way out the SDK (1.35) takes each value through four stages: to JSON, through the codec,
out of the history into the artifact store when it is large, and back for its reference. So with a
codec that encrypts, the store holds ciphertext; the reference itself, a hash and a size, is not
encoded. On the way in the same backwards.

Two rules keep a run from hanging, for Temporal retries a failed *workflow task* for ever:

* What is wrong with a value is refused in the first stage. Inside a workflow that is workflow
  code: the run, not the task, fails. The stages after it refuse nothing on account of size.
* What can never be read is refused as a non-retryable ``ApplicationError``, which the SDK turns
  into a failed run in every stage of the way in. A codec must do the same: :func:`as_failure`.

A full disk, on the other hand, is worth waiting for: the task is retried until there is space.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import replace
from typing import ClassVar

from google.protobuf.message import DecodeError
from pydantic import ValidationError
from pydantic_core import from_json, to_json
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    ExternalStorage,
    PayloadCodec,
    PayloadConverter,
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
    value_to_type,
)
from temporalio.exceptions import ApplicationError, FailureError

from aima.artifacts import FolderArtifacts
from aima.errors import AimaError, TooLarge, ValidationFailed
from aima.ports.artifacts import Artifact

VALUE_BYTES = 64 * 1024**2
"""Largest value that may pass between steps. A workflow encodes and decodes it in its own thread,
which the SDK takes for stuck after two seconds; this much takes 0.4 s on two cores."""

_MEDIA_TYPE = "application/x-protobuf"  # of an offloaded payload: its data and its metadata
_MESSAGE_CHARACTERS = 4000
_TRACE_CHARACTERS = 4000
_MOST_CAUSES = 4


def data_converter(
    artifacts: FolderArtifacts,
    *,
    inline_bytes: int,
    max_bytes: int,
    codec: PayloadCodec | None = None,
) -> DataConverter:
    """Make the converter that every client and worker of one installation shares.

    Args:
        artifacts: where large values go; all workers and clients must see the same folder.
        inline_bytes: largest payload in a history, metadata included; larger ones become
            references of about 250 bytes.
        max_bytes: largest value at all, as JSON; never more than :data:`VALUE_BYTES`.
        codec: encrypts what leaves this process, the messages of failures included.
    """
    unbounded = replace(artifacts, max_bytes=sys.maxsize)  # the first rule above
    return DataConverter(
        payload_converter_class=_values_up_to(min(max_bytes, VALUE_BYTES)),
        payload_codec=codec,
        failure_converter_class=EncodedFailures if codec else BoundedFailures,
        external_storage=ExternalStorage(
            drivers=[_ArtifactDriver(unbounded)],
            payload_size_threshold=inline_bytes + 1,  # the SDK offloads from here on
        ),
    )


def as_failure(error: AimaError) -> ApplicationError:
    """Say an error of AIMA so that Temporal knows its code and whether to try again."""
    return ApplicationError(error.message, type=error.code, non_retryable=not error.retryable)


def _values_up_to(max_bytes: int) -> type[PayloadConverter]:
    """Make the class the SDK wants: it calls it without arguments, in each workflow."""

    class Values(CompositePayloadConverter):
        def __init__(self) -> None:
            defaults = DefaultPayloadConverter.default_encoding_payload_converters
            others = (one for one in defaults if one.encoding != StrictJson.encoding)
            super().__init__(*others, StrictJson())

        def to_payloads(self, values: Sequence[object]) -> list[Payload]:
            payloads = super().to_payloads(values)
            for payload in payloads:
                if len(payload.data) > max_bytes:
                    raise as_failure(
                        TooLarge(
                            f"a value of {len(payload.data)} bytes exceeds the {max_bytes} that "
                            "may pass between steps; keep large data in an artifact"
                        )
                    )
            return payloads

    return Values


class StrictJson(EncodingPayloadConverter):
    """JSON as RFC 8259 has it, in the order it was written, at most 200 levels deep.

    The SDK's own converter sorts keys, writes ``NaN``, and leaves several mistakes as exceptions
    that would retry a workflow task for ever. It is also eight times slower on numbers, enough to
    be taken for stuck; and how deep it goes depends on how deep the stack is already.
    """

    encoding = "json/plain"

    def to_payload(self, value: object) -> Payload:
        """Encode a JSON value, or what pydantic makes one: models, dataclasses, times."""
        try:
            data = to_json(value)
            if b"NaN" in data or b"Infinity" in data:
                from_json(data, allow_inf_nan=False)  # in a text they are fine
        except ValueError as error:
            raise as_failure(
                ValidationFailed(f"a value cannot be written as JSON: {error}; make it plain JSON")
            ) from error
        return Payload(metadata={"encoding": self.encoding.encode()}, data=data)

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> object:
        """Decode a JSON value, then make it a ``type_hint`` if there is one."""
        try:
            value = from_json(payload.data, allow_inf_nan=False)
            return value if type_hint is None else value_to_type(type_hint, value)
        except (TypeError, ValueError) as error:
            raise as_failure(
                ValidationFailed(f"a value cannot be read as JSON: {error}; send plain JSON")
            ) from error


class _ArtifactDriver(StorageDriver):
    """Keeps payloads in the artifact store, under the hash of what the codec made of them."""

    def __init__(self, artifacts: FolderArtifacts) -> None:
        self._artifacts = artifacts

    def name(self) -> str:
        return "aima.artifacts"  # in every reference of every history: never change it

    async def store(
        self,
        context: StorageDriverStoreContext,  # noqa: ARG002 - the SDK's signature
        payloads: Sequence[Payload],
    ) -> list[StorageDriverClaim]:
        return [await self._store(payload) for payload in payloads]

    async def retrieve(
        self,
        context: StorageDriverRetrieveContext,  # noqa: ARG002 - the SDK's signature
        claims: Sequence[StorageDriverClaim],
    ) -> list[Payload]:
        return [await self._retrieve(claim) for claim in claims]

    async def _store(self, payload: Payload) -> StorageDriverClaim:
        try:
            kept = await self._artifacts.put(payload.SerializeToString(), media_type=_MEDIA_TYPE)
        except AimaError as error:
            raise as_failure(error) from error
        return StorageDriverClaim({"artifact": kept.artifact, "bytes": str(kept.bytes)})

    async def _retrieve(self, claim: StorageDriverClaim) -> Payload:
        try:
            artifact = Artifact.model_validate({**claim.claim_data, "media_type": _MEDIA_TYPE})
            return Payload.FromString(await self._artifacts.get(artifact))
        except AimaError as error:
            raise as_failure(error) from error
        except (ValidationError, DecodeError) as error:
            told = ValidationFailed(f"{dict(claim.claim_data)} refers to no value; start again")
            raise as_failure(told) from error


class BoundedFailures(DefaultFailureConverter):
    """Failures that always fit into a history and can always be written.

    Message and stack trace are cut, causes beyond the fourth left out. Details or text that
    cannot be written are replaced by the reason: an exception from here would hide the failure
    of an activity and hang a workflow.
    """

    encoded: ClassVar[bool] = False

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        """Say an exception as a failure; the SDK calls this for each cause again."""
        depth = _depth.get()
        if depth > _MOST_CAUSES:
            failure.message = "further causes are left out"
            return
        mark = _depth.set(depth + 1)
        try:
            super().to_failure(_told_by_cause(exception), payload_converter, failure)
        except (FailureError, ValueError) as refused:
            _retell(exception, refused, failure)
        finally:
            _depth.reset(mark)
        if len(failure.message) > _MESSAGE_CHARACTERS:
            failure.message = failure.message[:_MESSAGE_CHARACTERS] + " …"
        if len(failure.stack_trace) > _TRACE_CHARACTERS:
            failure.stack_trace = "… " + failure.stack_trace[-_TRACE_CHARACTERS:]
        if self.encoded:
            text = {"message": failure.message, "stack_trace": failure.stack_trace}
            failure.encoded_attributes.CopyFrom(payload_converter.to_payload(text))
            failure.message, failure.stack_trace = "Encoded failure", ""


class EncodedFailures(BoundedFailures):
    """The same, with message and stack trace where the codec reaches them."""

    encoded = True


_depth: ContextVar[int] = ContextVar("depth of the cause being told", default=0)


def _told_by_cause(exception: BaseException) -> BaseException:
    """Look through the SDK's "Failed decoding arguments", which retries what cannot be read."""
    cause = exception.__cause__
    if (
        isinstance(exception, ApplicationError)
        and exception.type is None
        and isinstance(cause, ApplicationError)
        and cause.non_retryable
    ):
        return cause
    return exception


def _retell(exception: BaseException, refused: Exception, failure: Failure) -> None:
    """Say what can be said of an exception whose details or text could not be written."""
    message = exception.message if isinstance(exception, FailureError) else str(exception)
    failure.Clear()
    failure.message = f"{message} (told in part: {refused})".encode(errors="replace").decode()
    info = failure.application_failure_info
    info.type = type(exception).__name__
    if isinstance(exception, ApplicationError):
        info.type = exception.type or info.type
        info.non_retryable = exception.non_retryable
