"""What Temporal refuses, as AIMA's errors."""

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from aima.errors import AimaError, InvalidRequest, NotFound, TemporalUnreachable, TooLarge
from aima.temporal.refusals import told


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (RPCStatusCode.NOT_FOUND, NotFound, "there is no run 'x'; `aima runs` lists"),
        (RPCStatusCode.INVALID_ARGUMENT, InvalidRequest, "Temporal refuses run 'x': why"),
        (RPCStatusCode.UNAVAILABLE, TemporalUnreachable, "does not answer: why"),
        (RPCStatusCode.DEADLINE_EXCEEDED, TemporalUnreachable, "`aima doctor` tells why"),
    ],
)
def test_a_refusal_becomes_the_error_that_it_means(
    status: RPCStatusCode, error: type[AimaError], message: str
) -> None:
    """Doors know AIMA's errors only."""
    with pytest.raises(error) as raised, told("run 'x'"):
        raise RPCError("why", status, b"")
    assert message in raised.value.message
    assert isinstance(raised.value.__cause__, RPCError)


def test_what_has_no_meaning_for_a_user_stays_what_it_is() -> None:
    """A mistake of ours must be seen."""
    with pytest.raises(RPCError), told("run 'x'"):
        raise RPCError("why", RPCStatusCode.INTERNAL, b"")
    with pytest.raises(KeyError), told("run 'x'"):
        raise KeyError("x")


def test_what_the_converter_refuses_keeps_its_code() -> None:
    """A value that is too large, say."""
    with pytest.raises(TooLarge, match="40 MB"), told("run 'x'"):
        raise ApplicationError("40 MB are too much", type="TOO_LARGE")
