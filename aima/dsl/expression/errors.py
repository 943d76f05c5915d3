"""What can go wrong with an expression.

    ValidationFailed                      VALIDATION_ERROR  400
    └── ExpressionError                   the expression cannot be used
        ├── ExpressionSyntaxError         the text is not an expression of the language
        └── ExpressionEvaluationError     the expression has no value for these data
            └── ExpressionLimitExceeded   it would take more steps or memory than allowed

None of them is retryable: the same text and the same data always fail the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from aima.errors import ValidationFailed

Hint: TypeAlias = str | Callable[[], str | None] | None
"""The way out of an error, what finds it, or nothing."""


class ExpressionError(ValidationFailed):
    """An expression is wrong, and this is the place.

    ``offset`` and ``end`` count code points: into the expression's text, or into the whole
    string when the expression stands in a template. ``path`` leads to that string inside the
    value that was evaluated (``("messages", 0, "content")``); it is empty for a lone expression.
    """

    def __init__(
        self, message: str, /, *, offset: int = 0, end: int = 0, hint: Hint = None
    ) -> None:
        """Tell what is wrong, where, and the way out."""
        super().__init__(message)
        self.offset = offset
        self.end = end
        self.path: tuple[str | int, ...] = ()
        self._hint = hint

    @property
    def hint(self) -> str | None:
        """The way out; looked for only now, since most errors are absorbed unseen."""
        return self._hint() if callable(self._hint) else self._hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class ExpressionSyntaxError(ExpressionError):
    """The text is not an expression of the language."""


class ExpressionEvaluationError(ExpressionError):
    """The expression has no value for these data."""


class ExpressionLimitExceeded(ExpressionEvaluationError):
    """Evaluating would take more steps or memory than an expression may use."""


class Fault(Exception):
    """An operation failed; whoever knows the place in the text turns this into an error."""

    error: type[ExpressionEvaluationError] = ExpressionEvaluationError

    def __init__(self, message: str, hint: Hint = None) -> None:
        """Tell what is wrong and, when known, the way out."""
        super().__init__(message)
        self.message = message
        self.hint = hint

    def located(self, offset: int, end: int) -> ExpressionEvaluationError:
        """Give the error for users: this fault, at that place of the text."""
        return self.error(self.message, offset=offset, end=end, hint=self.hint)


class LimitFault(Fault):
    """A limit was reached; no operator may absorb this."""

    error = ExpressionLimitExceeded
