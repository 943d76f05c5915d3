"""The expressions of the workflow language: a subset of CEL, with an evaluator of its own.

``parse(text)`` gives an :class:`Expression`; it knows what it reads, evaluates over plain data
without converting them, and is stored in a plan as JSON. What the language has is said in the
design (language.md, §4); where it departs from CEL is listed in
``tests/contract/test_cel_agreement.py``.
"""

from aima.dsl.expression.errors import (
    ExpressionError,
    ExpressionEvaluationError,
    ExpressionLimitExceeded,
    ExpressionSyntaxError,
)
from aima.dsl.expression.expression import Expression, parse
from aima.dsl.expression.reads import Read, shared_names
from aima.dsl.expression.values import TYPES

__all__ = [
    "TYPES",
    "Expression",
    "ExpressionError",
    "ExpressionEvaluationError",
    "ExpressionLimitExceeded",
    "ExpressionSyntaxError",
    "Read",
    "parse",
    "shared_names",
]
