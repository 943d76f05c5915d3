"""Whole files checked: the shipped ones, the invalid ones, and what chance makes of both."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aima.catalog import discover
from aima.dsl.diagnostic import CODES
from aima.gateway.definitions import Definitions
from aima.shipped import shipped, workflows_in
from aima.workflows.run import Program

INVALID = sorted((shipped("workflows") / "invalid").glob("*.yaml"))
SHIPPED = workflows_in(shipped("workflows"))
EXPECTED = re.compile(r"([a-z]+/[a-z-]+) (\d+):(\d+)")
UNREPORTABLE = {
    "retry/not-idempotent",  # and no shipped unit that must not be repeated
}


@pytest.fixture(scope="module")
def installed() -> Definitions:
    """Check with the units of this installation."""
    return Definitions(discover())


@pytest.mark.parametrize("file", INVALID, ids=lambda file: file.stem)
def test_an_invalid_file_has_the_mistakes_its_first_line_states(
    file: Path, installed: Definitions
) -> None:
    """Code, line and column, no more and no less: the reference quotes these files."""
    data = file.read_bytes()
    first = data.partition(b"\n")[0].decode()
    assert first.startswith("# expect: ")
    expected = [(code, int(line), int(col)) for code, line, col in EXPECTED.findall(first)]
    seen = [(d.code, d.line, d.column) for d in installed.check(data, str(file)).diagnostics]
    more = re.search(r" and (\d+) more$", first)
    if more:
        assert len(seen) == len(expected) + int(more.group(1))
        assert set(expected) <= set(seen)
    else:
        assert seen == expected


def test_every_code_has_an_invalid_file(installed: Definitions) -> None:
    """A code that nothing shows is one that nobody can look up."""
    shown = {
        d.code
        for file in INVALID
        for d in installed.check(file.read_bytes(), str(file)).diagnostics
    }
    ours = {code for code in CODES if not code.startswith("test/")}  # other tests have their own
    assert shown == ours - UNREPORTABLE


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_shipped_workflow_has_no_mistakes_and_no_warnings(
    file: Path, installed: Definitions
) -> None:
    """They are what people copy from."""
    checked = installed.check(file.read_bytes(), str(file))
    assert checked.diagnostics == ()
    assert checked.ok


SEEDS = [
    file.read_text("utf-8")
    for file in [*SHIPPED, *INVALID]
    if file.stem not in ("yaml-encoding", "yaml-too-many-nodes", "yaml-too-large")
]
TOKENS = [
    *(
        "${",
        "}",
        "${steps.chat.content}",
        "${input}",
        "steps:",
        "- ",
        "{",
        "[",
        "]",
        "*",
        "&a",
        "<<: ",
    ),
    *(
        "null",
        "true",
        "0",
        "-1",
        "1e999",
        "''",
        '"',
        "'",
        "\n",
        "  ",
        "\t",
        "#",
        ":",
        ",",
        "|",
        ">",
    ),
    *(
        "retry: ",
        "timeout: ",
        "depends_on: ",
        "on_failure: continue",
        "inputs: ",
        "$ref: '#'",
        "type: ",
    ),
    *("properties: {a: true}", "anyOf: [true, {}]", "format: artifact", "default: ", "ä", "\u2028"),
]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """Take a workflow and cut, double, move and replace pieces of it."""
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 40)))
        piece = draw(st.sampled_from(["", text[start:end] * 2, *TOKENS]))
        text = text[:start] + piece + text[end:]
    return text


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=mutated())
def test_checking_never_raises_and_what_it_lets_through_compiles(
    text: str, installed: Definitions
) -> None:
    """Whatever somebody types: a diagnosis or a plan, never a stack trace."""
    checked = installed.check(text, "w.yaml")
    for diagnostic in checked.diagnostics:
        assert diagnostic.line >= 1
        assert diagnostic.column >= 1
        assert diagnostic.message
    if checked.ok:
        plan = installed.plan(checked)
        assert plan.hash == installed.plan(installed.check(text, "w.yaml")).hash
        Program(json.loads(plan.text))  # and the interpreter reads it
