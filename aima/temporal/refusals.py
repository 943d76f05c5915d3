"""What a Temporal server refuses, told as AIMA's errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from aima.errors import InvalidRequest, NotFound, TemporalUnreachable, error_class

AWAY = frozenset({RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED})
"""What a server that is restarting answers."""


@contextmanager
def told(what: str) -> Iterator[None]:
    """Translate what is refused about ``what``, such as ``run 'x'``.

    Raises:
        NotFound: there is no such thing.
        InvalidRequest: the server cannot make sense of what it is told.
        TemporalUnreachable: no server answers.
        AimaError: a value cannot be written or read; the error is the converter's own.
    """
    try:
        yield
    except ApplicationError as error:
        raise error_class(error.type or "")(error.message) from error
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise NotFound(f"there is no {what}; `aima runs` lists the runs there are") from error
        if error.status is RPCStatusCode.INVALID_ARGUMENT:
            raise InvalidRequest(f"Temporal refuses {what}: {error.message}") from error
        if error.status in AWAY:
            raise TemporalUnreachable(
                f"the Temporal server does not answer: {error.message}; `aima doctor` tells why"
            ) from error
        raise
