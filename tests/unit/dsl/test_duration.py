"""Durations as authors write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aima.dsl.duration import parse_bound, parse_duration
from aima.dsl.json import Json


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("30s", 30),
        ("1.5s", 1.5),
        ("1h30m", 5400),
        ("2d", 172_800),
        ("1d2h3m4s5ms", 93_784.005),
        ("30m1h", 5400),
        ("0s", 0),
        ("PT30S", 30),
        ("PT1.5S", 1.5),
        ("PT1H30M", 5400),
        ("P2D", 172_800),
        ("P1DT12H", 129_600),
        (30, 30),
        (0.5, 0.5),
        (0, 0),
    ],
)
def test_a_duration_is_read(text: Json, seconds: float) -> None:
    """Both spellings of the language, and a plain number of seconds from a plan."""
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        *("", "s", "30", "30 s", "-5s", "+5s", "1e3s", "1h 30m", "30S", "1w", "soon", "∞s", "1.s"),
        *("P", "PT", "PT30", "P1H", "pt30s", "P1W", "P1Y", "PT5M1H"),
        *(None, True, False, [], {}, -1, -0.5, float("nan"), float("inf")),
    ],
    ids=repr,
)
def test_what_is_no_duration_is_refused_with_what_to_write(text: Json) -> None:
    """Guessing at `30` would be wrong for somebody by a factor of 60."""
    with pytest.raises(ValueError, match="is no duration; write 500ms, 30s, 1h30m, 2d or PT30S"):
        parse_duration(text)


@pytest.mark.parametrize(
    "text",
    ["3651d", "9" * 400 + "s", 1e300, 10**30, "P9999999D"],
    ids=lambda value: str(value)[:12],
)
def test_more_than_ten_years_are_refused(text: Json) -> None:
    """Temporal's timers, and Python's timedelta, end somewhere; nobody waits so long."""
    with pytest.raises(ValueError, match="longer than ten years"):
        parse_duration(text)


def test_a_long_text_is_told_short() -> None:
    """A message may be printed; a megabyte of it helps nobody."""
    with pytest.raises(ValueError, match="is no duration") as raised:
        parse_duration("x" * 1_000_000)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize("text", ["0s", "0ms", 0, "PT0S", "0.0001ms"])
def test_a_bound_is_never_zero(text: Json) -> None:
    """Temporal reads zero as `no bound`, the opposite of what is written."""
    with pytest.raises(ValueError, match="a bound of no time"):
        parse_bound(text)


@given(st.text(alphabet="0123456789.smhdPTHMSD -", max_size=20))
def test_reading_ends_in_a_duration_or_a_reason(text: str) -> None:
    """Whatever an author writes, nothing else may come out."""
    try:
        duration = parse_duration(text)
    except ValueError:
        return
    assert timedelta() <= duration <= timedelta(days=3650)
