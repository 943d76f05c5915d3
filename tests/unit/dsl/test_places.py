"""Where expressions stand, looked up when one fails."""

import pytest

from aima.dsl.expression import ExpressionEvaluationError
from aima.dsl.places import Place, place_of

PLACES = [
    [["input", "text"], [[4, 7, 20], [19, 8, 3]]],
    [["input", "messages", 0, "content"], [[2, 12, 9]]],
    "nonsense",
    [["input", "odd"], ["x"]],
]


def failed(*path: str | int, offset: int = 0) -> ExpressionEvaluationError:
    """Make the failure of an expression at this path inside `input`."""
    error = ExpressionEvaluationError("no such key", offset=offset, hint="add it")
    error.path = path
    return error


@pytest.mark.parametrize(
    ("offset", "line", "column"), [(4, 7, 20), (18, 7, 20), (19, 8, 3), (90, 8, 3)]
)
def test_the_expression_that_failed_is_the_last_that_begins_before(
    offset: int, line: int, column: int
) -> None:
    """A text may hold several, on several lines."""
    found = place_of(failed("text", offset=offset), PLACES, "input")
    assert (found.line, found.column) == (line, column)


def test_a_failure_is_told_with_the_way_to_it_and_its_place() -> None:
    """As the author would point at it."""
    error = failed("messages", 0, "content", offset=5)
    assert place_of(error, PLACES, "input").tell(error) == (
        "`input.messages[0].content` at 12:9: no such key; add it"
    )


@pytest.mark.parametrize("path", [("other",), ("odd",), ()])
def test_without_a_place_the_way_alone_is_told(path: tuple[str, ...]) -> None:
    """A plan of somebody else may have none; the step's own line is told then."""
    error = failed(*path)
    found = place_of(error, PLACES, "input")
    assert found == Place(("input", *path))
    assert " at " not in found.tell(error)
