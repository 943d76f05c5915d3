"""A run as a tree of its plan's steps."""

from __future__ import annotations

from typing import Any

from aima.catalog import Catalog
from aima.gateway.workflows.definitions import Definitions
from aima.workflows.outline import NOTHING, merged, rows, shape
from aima.workflows.progress_table import table

TEXT = """
name: tree
steps:
  - id: pages
    for_each: {in: [1, 2]}
    steps:
      - {id: read, set: {n: "${item}"}}
  - id: route
    switch:
      - {if: "${size(steps.pages.items) > 1}", steps: [{id: many, set: {n: 1}}]}
      - else: [{id: few, set: {n: 2}}]
  - id: careful
    steps: [{id: risky, raise: {code: BAD, message: bad}}]
    catch: [{codes: [BAD], steps: [{id: mend, set: {n: 3}}]}]
on_failure: [{id: tell, set: {n: 4}}]
finally: [{id: tidy, set: {n: 5}}]
"""


def plan() -> dict[str, Any]:
    """Compile the workflow."""
    definitions = Definitions(Catalog({}))
    checked = definitions.check(TEXT, "tree.yaml")
    assert checked.ok, checked.diagnostics
    return dict(definitions.plan(checked).data)


def names(**told: object) -> list[tuple[str, str]]:
    """Give the steps of the tree with their states."""
    return [
        (str(row["step"]), str(row["state"])) for row in rows(shape(plan()), {**NOTHING, **told})
    ]


def test_a_run_that_has_not_begun_shows_what_may_come() -> None:
    """Every branch of a choice, but no handlers: they are for what is not meant to happen."""
    assert [step for step, _ in names()] == [
        "pages",
        "read",
        "route",
        "many",
        "few",
        "careful",
        "risky",
        "tidy",
    ]


def test_branches_that_were_not_taken_are_left_out() -> None:
    """As soon as it is known which one is."""
    counts = {"route": {"running": 1}}
    steps = [step for step, _ in names(counts=counts, notes={"route": {"branch": 0}})]
    assert "many" in steps
    assert "few" not in steps


def test_a_handler_shows_once_it_runs() -> None:
    """So does a section for failures."""
    counts = {"mend": {"running": 1}, "tell": {"done": 1}}
    told = dict(names(counts=counts))
    assert (told["mend"], told["tell"]) == ("running", "done")


def test_hits_of_the_cache_are_counted_beside_the_states() -> None:
    """They are no state of their own, and segments of a loop add theirs up."""
    told = {**NOTHING, "counts": {"read": {"done": 3, "cached": 2}}}
    row = {str(row["step"]): row for row in rows(shape(plan()), merged(told, told))}["read"]
    assert (row["state"], row["times"], row["cached"]) == ("done", {"done": 6}, 4)


def test_a_block_of_which_only_the_steps_are_known_runs() -> None:
    """A history tells of units, and not of what they stand in."""
    told = dict(names(counts={"read": {"done": 1}}))
    assert (told["pages"], told["read"]) == ("running", "done")


def test_what_segments_tell_is_added_up() -> None:
    """A loop of many items is one row, wherever its items run."""
    mine = {**NOTHING, "loops": {"pages": {"all": 10, "done": 1}}}
    more = {
        **NOTHING,
        "loops": {"pages": {"done": 2, "failed": 1}},
        "counts": {"read": {"done": 3}},
    }
    told = merged(mine, more)
    assert told["loops"] == {"pages": {"all": 10, "done": 3, "failed": 1}}
    assert told["counts"] == {"read": {"done": 3}}
    assert mine["loops"] == {"pages": {"all": 10, "done": 1}}, "the parent's own is left alone"


def test_the_table_for_the_temporal_ui_has_counts_and_answers() -> None:
    """Whoever is asked reads there what to type."""
    told = {
        **NOTHING,
        "counts": {"pages": {"running": 1}},
        "loops": {"pages": {"done": 1, "failed": 1, "all": 3}},
        "waits": [
            {
                "step": "ok[0]",
                "for": "approval",
                "what": "Fine?",
                "until": "2026-01-02T03:04:05.6+00:00",
            }
        ],
        "more_waits": 2,
    }
    drawn = table(rows(shape(plan()), told), told, "r1")
    assert "| ▶ running\u2003| pages\u2003| for_each\u2003| 2/3, 1 failed |" in drawn
    assert "| | **finally** | | |" in drawn
    assert (
        "- ok[0]: approval: Fine?, until 2026-01-02 03:04:05 UTC — `aima approve r1 ok[0]`" in drawn
    )
    assert drawn.endswith("- and 2 more")
