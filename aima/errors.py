"""Every error AIMA tells a user, as one tree of conditions.

    AimaError
    ├── InvalidRequest            INVALID_REQUEST         400
    │   └── ValidationFailed      VALIDATION_ERROR        400
    ├── Unauthorized              UNAUTHORIZED            401
    ├── Forbidden                 FORBIDDEN               403
    │   └── QuotaExceeded         QUOTA_EXCEEDED          403
    ├── NotFound                  RESOURCE_NOT_FOUND      404
    │   ├── UnitNotFound          UNIT_NOT_FOUND          404
    │   └── ModelNotFound         MODEL_NOT_FOUND         404
    ├── Conflict                  CONFLICT                409
    ├── Gone                      GONE                    410
    ├── TooLarge                  TOO_LARGE               413
    ├── UnsupportedMedia          UNSUPPORTED_MEDIA_TYPE  415
    ├── RateLimited               RATE_LIMITED            429  retryable
    │   └── TooManyRuns           TOO_MANY_RUNS           429  retryable
    ├── Cancelled                 CANCELLED               499
    ├── ExecutionFailed           EXECUTION_FAILED        500  retryable
    │   └── WrongAnswer           EXECUTION_FAILED        500  retryable
    ├── InternalError             INTERNAL_ERROR          500  retryable
    ├── InsufficientResources     INSUFFICIENT_RESOURCES  503  retryable
    ├── EngineNotRunning          ENGINE_NOT_RUNNING      503  retryable
    ├── StreamLost                STREAM_LOST             503
    ├── TemporalUnreachable       TEMPORAL_UNREACHABLE    503  retryable
    └── TimedOut                  TIMEOUT                 504  retryable

A message says what is wrong, names the thing with ``!r``, and ends with the way out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar


class AimaError(Exception):
    """Something AIMA could not do, told so that a person or a program can act on it."""

    code: ClassVar[str] = "INTERNAL_ERROR"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, /) -> None:
        """Tell what is wrong and the way out in one sentence."""
        super().__init__(message)
        self.message = message


class InvalidRequest(AimaError):
    """The request makes no sense as a whole."""

    code = "INVALID_REQUEST"
    status = 400


class ValidationFailed(InvalidRequest):
    """A field of the request is missing, unknown, or of the wrong type."""

    code = "VALIDATION_ERROR"


class Unauthorized(AimaError):
    """The caller did not say who it is."""

    code = "UNAUTHORIZED"
    status = 401


class Forbidden(AimaError):
    """The caller may not do this."""

    code = "FORBIDDEN"
    status = 403


class QuotaExceeded(Forbidden):
    """The caller has used up what it was granted."""

    code = "QUOTA_EXCEEDED"


class NotFound(AimaError):
    """The named thing does not exist."""

    code = "RESOURCE_NOT_FOUND"
    status = 404


class UnitNotFound(NotFound):
    """No atomic unit has this name."""

    code = "UNIT_NOT_FOUND"


class ModelNotFound(NotFound):
    """No engine serves a model of this name."""

    code = "MODEL_NOT_FOUND"


class Conflict(AimaError):
    """The thing exists already, is in use, or belongs to somebody else."""

    code = "CONFLICT"
    status = 409


class Gone(AimaError):
    """What was asked for is no longer kept; ask for what is there now."""

    code = "GONE"
    status = 410


class TooLarge(AimaError):
    """The data exceed a limit; the message names it."""

    code = "TOO_LARGE"
    status = 413


class UnsupportedMedia(AimaError):
    """The bytes are not of a type that this can read."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    status = 415


class RateLimited(AimaError):
    """Too many requests at once; trying later helps.

    Attributes:
        retry_after: seconds after which to try again, where that is known.
    """

    code = "RATE_LIMITED"
    status = 429
    retryable = True

    def __init__(self, message: str, /, *, retry_after: float | None = None) -> None:
        """Tell what is too much, and when to come back."""
        super().__init__(message)
        self.retry_after = retry_after


class TooManyRuns(RateLimited):
    """As many runs are open as may be; there is room when some have ended."""

    code = "TOO_MANY_RUNS"


class Cancelled(AimaError):
    """Somebody cancelled the work."""

    code = "CANCELLED"
    status = 499


class ExecutionFailed(AimaError):
    """The work was begun and did not succeed."""

    code = "EXECUTION_FAILED"
    retryable = True


class WrongAnswer(ExecutionFailed):
    """A model answered something else than it was asked for; its engine is well."""


class InternalError(AimaError):
    """A mistake of AIMA's own."""

    retryable = True


class InsufficientResources(AimaError):
    """Not enough memory, disk or devices."""

    code = "INSUFFICIENT_RESOURCES"
    status = 503
    retryable = True


class EngineNotRunning(AimaError):
    """The engine that should serve this does not answer."""

    code = "ENGINE_NOT_RUNNING"
    status = 503
    retryable = True


class StreamLost(AimaError):
    """There is no stream to read; what it would have said comes whole when it is done."""

    code = "STREAM_LOST"
    status = 503


class TemporalUnreachable(AimaError):
    """The Temporal server does not answer."""

    code = "TEMPORAL_UNREACHABLE"
    status = 503
    retryable = True


class TimedOut(AimaError):
    """The time allowed for this is over."""

    code = "TIMEOUT"
    status = 504
    retryable = True


def error_classes(root: type[AimaError] = AimaError) -> Iterator[type[AimaError]]:
    """Walk the tree below ``root``, parents first."""
    for child in root.__subclasses__():
        yield child
        yield from error_classes(child)


def error_class(code: str) -> type[AimaError]:
    """Give the class of ``code``; :class:`ExecutionFailed` stands for codes of others."""
    return next((cls for cls in error_classes() if cls.code == code), ExecutionFailed)


def is_retryable(code: str) -> bool:
    """Tell whether trying again may help; of a code that is not of this tree nobody knows."""
    found = error_class(code)
    return found.code == code and found.retryable
