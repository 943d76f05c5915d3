"""Errors as values: what each carries. That the tree is as drawn is a contract test's."""

import pytest

from aima.errors import (
    AimaError,
    EngineNotRunning,
    ExecutionFailed,
    InternalError,
    InvalidRequest,
    ModelNotFound,
    NotFound,
    RateLimited,
    TimedOut,
    ValidationFailed,
    error_class,
    error_classes,
)


def test_an_error_carries_its_message_as_it_was_told() -> None:
    """For people, and for the program that puts it into an answer."""
    error = ModelNotFound("no engine serves 'x'; there is 'y'")
    assert error.message == str(error) == "no engine serves 'x'; there is 'y'"
    assert (error.code, error.status, error.retryable) == ("MODEL_NOT_FOUND", 404, False)


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (ValidationFailed, False),
        (NotFound, False),
        (RateLimited, True),
        (EngineNotRunning, True),
        (TimedOut, True),
        (ExecutionFailed, True),
        (InternalError, True),
    ],
)
def test_only_what_may_pass_is_tried_again(error: type[AimaError], *, retryable: bool) -> None:
    """The class decides for every unit and engine alike."""
    assert error.retryable is retryable


def test_a_code_gives_its_most_general_class() -> None:
    """A subclass elsewhere that keeps the code, such as a broken file, must not answer for it."""
    assert error_class("INTERNAL_ERROR") is InternalError
    assert error_class("VALIDATION_ERROR") is ValidationFailed


def test_a_code_of_others_is_a_failed_execution() -> None:
    """A unit may have codes of its own; they are failures of the work all the same."""
    assert error_class("DISK_ON_FIRE") is ExecutionFailed
    assert error_class("") is ExecutionFailed


def test_the_tree_is_walked_parents_first() -> None:
    """So that the first class of a code is the one that introduced it."""
    walked = list(error_classes())
    assert walked.index(InvalidRequest) < walked.index(ValidationFailed)
    assert walked.index(NotFound) < walked.index(ModelNotFound)
    assert next(iter(error_classes(NotFound))) in NotFound.__subclasses__()
