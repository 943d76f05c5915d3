"""Ids of runs. What runs do is tested on a real server: tests/integration/test_runs.py."""

import re
import time

from aima.temporal.runs import new_run_id


def test_an_id_is_the_name_and_a_part_that_sorts_by_time() -> None:
    """A list of ids is a list in time, and `aima logs NAME-…` completes well."""
    ids = []
    for _ in range(3):
        ids.append(new_run_id("voice-assistant"))
        time.sleep(0.002)  # the clock of the id ticks in milliseconds
    assert ids == sorted(ids)
    assert all(re.fullmatch(r"voice-assistant-[0-9a-hjkmnp-tv-z]{18}", run_id) for run_id in ids)


def test_ids_are_unique() -> None:
    """Also those of one millisecond."""
    ids = [new_run_id("x") for _ in range(10_000)]
    assert len(set(ids)) == len(ids)


def test_ids_sort_for_centuries() -> None:
    """48 bits of milliseconds are 8 900 years; the first sign tells."""
    assert new_run_id("x").removeprefix("x-")[0] == "0"
