"""AIMA's expressions against Google's CEL, expression by expression.

Both get the same text and the same data. Inside the subset they agree in the value and its
type, and in whether there is one. Where AIMA departs on purpose ``DEVIATIONS`` says how and
why, and a test holds that each is still so.
"""

from __future__ import annotations

import ctypes
import math
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from aima.dsl.expression import ExpressionError, parse

cel = pytest.importorskip("cel_expr_python.cel", reason="cel-expr-python has no wheel here")
optional = pytest.importorskip("cel_expr_python.ext.ext_optional")
strings = pytest.importorskip("cel_expr_python.ext.ext_strings")

DATA: dict[str, object] = {
    "i": 7,
    "d": 2.5,
    "t": "héllo 😀",
    "b": True,
    "n": None,
    "l": [3, 1, 2],
    "m": {"a": 1, "b": {"c": "deep"}, "if": 3, "nul": None, "items": [{"v": 1}, {"v": 2.5}]},
}
LINES = (Path(__file__).parent / "cel_expressions.txt").read_text(encoding="utf-8").splitlines()
WRITTEN = [line for line in LINES if line and not line.startswith(("# ", "## "))]
ERROR = "error"
ROUNDS, IN_A_ROUND = 20, 50

# What AIMA does otherwise, and why.
DEVIATIONS = {
    # has(p) asks for presence, and is false wherever the path breaks (language.md, fine print 4)
    "has(n.x)": False,
    "has(t.x)": False,
    "has(m.zz.x.y)": False,
    "has(m['zz'])": False,
    "has(l[0])": True,
    # data are JSON: keys are texts, there are no bytes and no unsigned integers
    "{1: 2}": ERROR,
    "1u": ERROR,
    "b'a'": ERROR,
    # what is no number of JSON cannot leave an expression, nor be written as a literal
    "1.0 / 0.0": ERROR,
    "string(1e999)": ERROR,
    # the sign of a not-a-number is an accident of the processor
    "string(0.0 / 0.0)": "nan",
    # names of places need a database that differs from machine to machine
    "timestamp(0).getHours('America/New_York')": ERROR,
    # RFC 3339 and offsets are taken as they are written, not guessed at
    "timestamp('2024-2-3T12:00:00Z')": ERROR,
    "timestamp(' 2024-02-03T12:00:00Z')": ERROR,
    "timestamp('2024-02-03T12:00:00+0100')": ERROR,
    "timestamp(0).getHours('+1:2')": ERROR,
    # a duration always fits in 64 bits of nanoseconds, not only after arithmetic
    "duration('9223372037s')": ERROR,
    # hexadecimal is for integer literals
    "double('0x10')": ERROR,
    # mistakes and surprises of Google's evaluator
    "optional.of([1])[3].hasValue()": False,
    "R'\\'": "\\",
    # syntax that nobody needs here: absolute names, a comma alone
    ".i": ERROR,
    "[,]": ERROR,
}


@pytest.fixture(scope="module")
def google() -> Iterator[Callable[[str], object]]:
    """Give Google's evaluator as a function from text to a comparable value or ERROR."""
    # cel-expr-python 0.1.3 gives one reference to None away with each null, which kills
    # Python 3.11 in the end; a supply of them lasts for these tests.
    increase = ctypes.pythonapi.Py_IncRef
    increase.argtypes = [ctypes.py_object]
    for _ in range(200_000):
        increase(None)
    extensions = [optional.ExtOptional(), strings.ExtStrings()]
    environment = cel.NewEnv(variables=dict.fromkeys(DATA, cel.Type.DYN), extensions=extensions)
    yield partial(google_value, environment)


def google_value(environment: object, text: str) -> object:
    """Evaluate with Google's CEL, without the static types that AIMA's checker has instead."""
    try:
        value = environment.compile(text, disable_check=True).eval(data=DATA)  # type: ignore[attr-defined]  # an Env
    except RuntimeError:
        return ERROR
    kind = value.type()
    if kind == cel.Type.ERROR or kind.name().startswith("optional"):
        return ERROR
    if kind in (cel.Type.TIMESTAMP, cel.Type.DURATION):
        return google_value(environment, f"string({text})")
    return comparable(value.plain_value())


def aima_value(text: str) -> object:
    """Evaluate with AIMA."""
    try:
        return comparable(parse(text).evaluate(DATA))
    except ExpressionError:
        return ERROR


def comparable(value: object) -> object:
    """Tell 1 from 1.0 and from true; entries of a map have no order."""
    if isinstance(value, cel.Type):
        return comparable(TYPE_NAMES.get(value.name(), value.name().lower().partition("<")[0]))
    if isinstance(value, float) and not math.isfinite(value):
        return ERROR
    if isinstance(value, list | dict):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        found = [(key, comparable(item)) for key, item in pairs]
        if any(item == ERROR for _, item in found):
            return ERROR
        return (type(value), sorted(found) if isinstance(value, dict) else found)
    return (type(value), repr(value))


TYPE_NAMES = {
    "NULL": "null_type",
    "TIMESTAMP": "google.protobuf.Timestamp",
    "DURATION": "google.protobuf.Duration",
}


@pytest.mark.parametrize("text", WRITTEN)
def test_both_agree_on_a_written_expression(text: str, google: Callable[[str], object]) -> None:
    """An author who knows CEL, or asks a model that does, must not be surprised."""
    assert aima_value(text) == google(text)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_both_agree_on_made_up_expressions(seed: int, google: Callable[[str], object]) -> None:
    """Combinations nobody thought of are where two evaluators differ."""
    for index in range(IN_A_ROUND):
        maker = Maker(seed * IN_A_ROUND + index)
        text = maker.anything(maker.random.randint(1, 4))
        assert aima_value(text) == google(text), text


def test_most_expressions_have_a_value() -> None:
    """Agreeing that everything is an error would prove nothing."""
    made = [Maker(seed).anything(3) for seed in range(500)]
    assert len(WRITTEN) >= 600
    assert sum(aima_value(text) != ERROR for text in WRITTEN) > 350
    assert sum(aima_value(text) != ERROR for text in made) > 300


@pytest.mark.parametrize(("text", "ours"), DEVIATIONS.items())
def test_a_deviation_is_as_listed(
    text: str, ours: object, google: Callable[[str], object]
) -> None:
    """The list is the documentation of where AIMA is not CEL, so it must be true."""
    assert aima_value(text) == (ERROR if ours == ERROR else comparable(ours))
    assert google(text) != aima_value(text) or text == "1.0 / 0.0"
