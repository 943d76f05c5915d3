"""AIMA's expressions against Google's CEL, expression by expression.

Both get the same text and the same data. Inside the subset they agree in the value and its
type, and in whether there is one. Where AIMA departs on purpose ``DEVIATIONS`` says how and
why, and a test holds that each is still so.
"""

from __future__ import annotations

import ctypes
import math
import random
import re
from collections.abc import Callable
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
    # what is no number of JSON is no literal; nor can it leave an expression: see `comparable`
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
    # an unknown function is found before anything runs, even where it would not be called
    "b || nope(i)": ERROR,
    # syntax that nobody needs here: absolute names, a comma alone
    ".i": ERROR,
    "[,]": ERROR,
}


@pytest.fixture(scope="module")
def google() -> Callable[[str], object]:
    """Give Google's evaluator as a function from text to a comparable value or ERROR."""
    # cel-expr-python 0.1.3 gives one reference to None away with each null, which kills
    # Python 3.11 in the end; a supply of them lasts for these tests.
    increase = ctypes.pythonapi.Py_IncRef
    increase.argtypes = [ctypes.py_object]
    for _ in range(200_000):
        increase(None)
    extensions = [optional.ExtOptional(), strings.ExtStrings()]
    environment = cel.NewEnv(variables=dict.fromkeys(DATA, cel.Type.DYN), extensions=extensions)
    return partial(google_value, environment)


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
    """Tell 1 from 1.0 and from true; entries of a map have no order; infinity is no JSON."""
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
def test_a_deviation_is_as_listed(text: str, ours: object, google: Callable[[str], object]) -> None:
    """The list is the documentation of where AIMA is not CEL, so it must be true."""
    assert aima_value(text) == (ERROR if ours == ERROR else comparable(ours))
    assert google(text) != aima_value(text)


# -- making up expressions -------------------------------------------------------------

PARTS = "FullYear Month Date DayOfMonth DayOfWeek DayOfYear Hours Minutes Seconds Milliseconds"
KINDS = ("int", "real", "text", "bool", "ints", "texts", "map", "none")
# Of each kind of value first what stands alone, then what is made of others: ``<int>`` is a hole.
GRAMMAR: dict[str, tuple[list[str], list[str]]] = {
    "none": (["null", "n"], ["null"]),
    "int": (
        ["0", "1", "-1", "2", "7", "i", "m.a", "l[0]", "m['if']", "0x1F", "9223372036854775807"],
        [
            *(f"(<int> {sign} <int>)" for sign in "+-*/%"),
            *("size(<text>)", "<ints>.size()", "<map>.size()", "int(<any>)", "-(<int>)"),
            *("(<bool> ? <int> : <int>)", "<ints>[<int>]", "<ints>[?<int>].orValue(<int>)"),
            *("<map>.?a.orValue(<int>)", "<map>.?zz.orValue(<int>)"),
            *(f"<time>.get{part}()" for part in PARTS.split()),
            *("<time>.getHours('+05:30')", "<time>.getDate('-11:00')"),
            *("<span>.getHours()", "<span>.getMinutes()", "<span>.getMilliseconds()"),
        ],
    ),
    "real": (
        ["0.0", "1.5", "-2.25", "d", "1e3", "1e-7", "m.items[1].v", "123456789.125", ".5"],
        [
            *(f"(<real> {sign} <real>)" for sign in "+-*/"),
            *("double(<int>)", "double(<text>)", "-(<real>)", "(<bool> ? <real> : <real>)"),
        ],
    ),
    "text": (
        [
            *("''", "'a'", "'b,c'", "t", "m.b.c", "'é😀'", r"' x\t'", "'1'", "'-12'", "'2.5e3'"),
            *("'true'", '"q\'"', r"r'\d'", "'''tri'ple'''", r"'\u00e9\x41\101\n'"),
        ],
        [
            *("(<text> + <text>)", "string(<int>)", "string(<real>)", "string(<bool>)"),
            *("string(<time>)", "string(<span>)", "<text>.trim()", "<text>.lowerAscii()"),
            *("<text>.upperAscii()", "<text>.replace(<text>, <text>)", "<texts>.join()"),
            *("<text>.replace(<text>, <text>, <int>)", "<texts>.join(<text>)"),
            "(<bool> ? <text> : <text>)",
        ],
    ),
    "bool": (
        ["true", "false", "b"],
        [
            *("(<bool> && <bool>)", "(<bool> || <bool> || <bool>)", "!(<bool>)"),
            *("(<any> == <any>)", "(<any> != <any>)", "(<any> in <ints>)", "(<text> in <map>)"),
            *(f"(<int> {sign} <int>)" for sign in ("==", "<", ">=")),
            *(f"(<int> {sign} <real>)" for sign in ("==", "<", ">=")),
            *("(<text> < <text>)", "(<bool> <= <bool>)", "(<time> > <time>)", "(<span> < <span>)"),
            *("<text>.contains(<text>)", "<text>.startsWith(<text>)", "<text>.endsWith(<text>)"),
            *("<text>.matches('^.$')", "<text>.matches('[0-9]+')", "<text>.matches(<text>)"),
            *("bool(<text>)", "has(m.a)", "has(m.b.q)", "m.?zz.hasValue()"),
            *("<ints>.all(x, <x>)", "<ints>.exists(x, <x>)", "<ints>.exists_one(x, <x>)"),
            *(f"(type(<any>) == {kind})" for kind in ("int", "string", "list", "null_type")),
        ],
    ),
    "x": (
        ["x > 1", "x == 2", "1 / x > 0", "x"],
        ["(<x> && <bool>)", "(<bool> || <x>)", "(x < <int>)", "<ints>.exists(y, y == x)"],
    ),
    "ints": (
        ["l", "[]", "[1, 2, 3]", "[0, -1]"],
        [
            *("<ints>.filter(x, <x>)", "<ints>.map(x, x + <int>)", "<ints>.map(x, <x>, x)"),
            *("(<ints> + <ints>)", "[<int>, <int>]"),
        ],
    ),
    "texts": (
        ["['a', 'b']", "[]", "['']"],
        ["<text>.split(<text>)", "<text>.split(<text>, <int>)", "[<text>, <text>]"],
    ),
    "map": (["m", "{}", "{'a': 1}", "m.b"], ["{'a': <any>, 'z': <any>}", "{<text>: <any>}"]),
    "time": (
        [
            *("timestamp('2024-02-29T12:34:56Z')", "timestamp('1969-12-31T23:59:59.5Z')"),
            *("timestamp('2000-01-01T00:00:00.123456789+05:30')", "timestamp(0)"),
        ],
        ["(<time> + <span>)", "(<time> - <span>)", "(<span> + <time>)", "timestamp(<int>)"],
    ),
    "span": (
        ["duration('1h30m')", "duration('-2.5s')", "duration('1ms1us1ns')", "duration('0')"],
        ["(<span> + <span>)", "(<span> - <span>)", "(<time> - <time>)"],
    ),
}


class Maker:
    """Makes up expressions, most of them well typed; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        """Start the sequence of choices that belongs to the seed."""
        self.random = random.Random(seed)  # noqa: S311 - test data

    def anything(self, depth: int) -> str:
        """Make up an expression of any kind that nests at most so deep."""
        return self.make(self.random.choice(KINDS), depth)

    def make(self, kind: str, depth: int) -> str:
        """Make up an expression of a kind; one in thirty is of the wrong one."""
        if kind == "any" or self.random.random() < 1 / 30:
            kind = self.random.choice(KINDS)
        alone, made = GRAMMAR[kind]
        form = self.random.choice(made if depth > 0 else alone)
        return re.sub(r"<([a-z]+)>", lambda hole: self.make(hole[1], depth - 1), form)
