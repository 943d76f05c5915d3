"""Values that are never equal are told where both types are known, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from aima.dsl.comparisons import NEVER_EQUAL
from aima.gateway.workflows.definitions import Definitions
from aima.settings import Settings
from aima.worker import units_of

DEFINITIONS = Definitions(units_of(Settings()))
WORKFLOW = """\
name: compares
inputs:
  type: object
  required: [count, share, word, flag, words, counts, any, map]
  properties:
    count: {type: integer}
    share: {type: number}
    word: {type: string}
    flag: {type: boolean}
    words: {type: array, items: {type: string}}
    counts: {type: array, items: {type: integer}}
    map: {type: object, additionalProperties: {type: integer}}
    maybe: {type: [string, "null"]}
    any: {}
config: {mode: fast, most: 3}
steps:
  - id: first
    type: template.render
    input: {text: x}
  - id: second
    depends_on: [first]
    if: "${CONDITION}"
    type: template.render
    input: {text: x}
"""


def warnings(condition: str, tmp_path: Path) -> list[tuple[str, str | None]]:
    """Check a condition; give what is said, with the way out."""
    text = WORKFLOW.replace("CONDITION", condition)
    found = DEFINITIONS.check(text, "w.yaml", str(tmp_path)).diagnostics
    told = [one for one in found if one.code == NEVER_EQUAL]
    assert {one.severity for one in told} <= {"warning"}
    assert {one.line for one in told} <= {22}
    return [(one.message, one.hint) for one in told]


@pytest.mark.parametrize(
    ("condition", "message", "hint"),
    [
        (
            "input.count == '3'",
            "always false: `input.count` is a whole number, and `'3'` is text",
            "write `3` in place of `'3'`",
        ),
        ("input.share == '0.5'", "`input.share` is a number", "write `0.5` in place of `'0.5'`"),
        ("input.flag != 'true'", "always true: `input.flag` is true", "write `true` in place"),
        ("7 == input.word", "always false: `7` is a whole number", "write `'7'` in place of `7`"),
        ("input.word == true", "`true` is true or false", "write `'true'` in place of `true`"),
        ("'3' in input.counts", "an item of `input.counts` is a whole number", "write `3`"),
        ("input.count in ['1', '2']", "an item of `['1', '2']` is text", "`string(x)`"),
        ("3 in input.map", "an item of `input.map` is text", "write `'3'`"),
        ("steps.first.text == 1", "`steps.first.text` is text", "write `'1'`"),
        ("size(input.words) == '1'", "`size(input.words)` is a whole number", "write `1`"),
        ("config.mode == 1", "`config.mode` is text", "write `'1'`"),
        ("input.word == input.count", "`input.count` is a whole number", "`string(x)`"),
        ("!(input.flag && input.count == '3')", "`input.count` is a whole number", "write `3`"),
    ],
)
def test_what_is_never_equal_is_warned_of(
    condition: str, message: str, hint: str, tmp_path: Path
) -> None:
    """It would be a branch that nobody ever sees taken."""
    [(told, way_out)] = warnings(condition, tmp_path)
    assert message in told
    assert hint in (way_out or "")


@pytest.mark.parametrize(
    "condition",
    [
        "input.count == 3",
        "input.count == 3.0",
        "input.share == 3",
        "input.word == 'x' || input.flag == true",
        "input.any == 'x' || input.any == 3",
        "has(input.maybe) && (input.maybe == null || input.maybe == 'x')",
        "input.word == null",
        "input.count in [1, 'two']",
        "input.count in []",
        "'a' in input.map || 'a' in input.words",
        "config.most == 4",
        "input.counts.exists(word, word == 'x')",
        "input.counts[0] == 'x'",
        "type(input.count) == int",
        "string(input.count) == '3'",
        "int(input.word) == 3",
        "run.started_at == 'x'",
    ],
)
def test_what_may_be_equal_is_not(condition: str, tmp_path: Path) -> None:
    """A warning that is wrong makes people blind for those that are right."""
    assert warnings(condition, tmp_path) == []
