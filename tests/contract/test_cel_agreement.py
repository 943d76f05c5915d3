"""AIMA's expressions against Google's CEL, expression by expression.

Both get the same text and the same data. Inside the subset they agree in the value and its
type, and in whether there is one. Where AIMA departs on purpose, ``DEVIATIONS`` says how and
why, and a test holds that it is still so.
"""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta

import pytest

from aima.dsl.expression import ExpressionError, parse

cel = pytest.importorskip("cel_expr_python.cel", reason="cel-expr-python has no wheel here")
ext_optional = pytest.importorskip("cel_expr_python.ext.ext_optional")
ext_strings = pytest.importorskip("cel_expr_python.ext.ext_strings")

DATA = {
    "i": 7,
    "d": 2.5,
    "t": "héllo 😀",
    "b": True,
    "n": None,
    "l": [3, 1, 2],
    "m": {"a": 1, "b": {"c": "deep"}, "if": 3, "nul": None, "items": [{"v": 1}, {"v": 2.5}]},
}
ERROR = ("error",)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
