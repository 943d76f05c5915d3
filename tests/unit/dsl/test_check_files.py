"""Whole files checked: the shipped ones, the invalid ones, and what chance makes of both."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from aima.catalog import discover
from aima.dsl.diagnostic import CODES
from aima.gateway.workflows.definitions import Definitions
from aima.shipped import shipped, workflows_in
from aima.workflows.constructs import language
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


WORDS = sorted(
    {"id", "name", "steps", "output", "input", "type", "if", "else", "codes", "as", "in", "until"}
    | {"while", "max", "key", "max_attempts", "signal", "event", "approval", "schema", "cron"}
    | {key for body in language().bodies.values() for key in body.keys}
    | set(language().modifiers)
    | set(language().sections)
)
SCALARS = """
null true 0 -1 1.5 '' a 30s inference.chat continue env:X '0 7 * * *' ./w.yaml w ${ ${{{{{{{{ ${a
${input.x} ${steps.a} ${secrets.a} ${config} '${has(steps.a) ? 1 : 2}' '${1 +}' ${steps.a.map(x,x)}
"""
VALUES = st.sampled_from([yaml.safe_load(word) for word in shlex.split(SCALARS)])
TREES = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner),
    max_leaves=10,
)
MAPS = st.dictionaries(st.sampled_from(WORDS), TREES, max_size=4)
STEPS = st.builds(lambda said, name: {"id": name, **said}, MAPS, st.sampled_from("abc"))
DOCUMENTS = st.builds(
    lambda said, steps: {"name": "w", **said, "steps": steps},
    MAPS,
    st.lists(STEPS, min_size=1, max_size=3),
)


@settings(max_examples=60, deadline=None)
@given(document=DOCUMENTS | TREES)
def test_a_document_of_the_right_words_in_any_order_is_diagnosed(
    document: object, installed: Definitions
) -> None:
    """Each construct is given every kind of value, where a mutated text mostly stays no YAML."""
    diagnosed(json.dumps(document), installed)


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_diagnosed(data: bytes, installed: Definitions) -> None:
    """Somebody will name a picture `.yaml`."""
    diagnosed(data, installed)


@settings(max_examples=300, deadline=None)
@given(text=mutated())
def test_checking_never_raises_and_what_it_lets_through_compiles(
    text: str, installed: Definitions
) -> None:
    """Whatever somebody types: a diagnosis or a plan, never a stack trace."""
    diagnosed(text, installed)


def diagnosed(text: str | bytes, definitions: Definitions) -> None:
    """Check a file; what has no mistakes must compile, always to the same."""
    checked = definitions.check(text, "w.yaml")
    for diagnostic in checked.diagnostics:
        assert diagnostic.line >= 1
        assert diagnostic.column >= 1
        assert diagnostic.message
    if checked.ok:
        plan = definitions.plan(checked)
        assert plan.hash == definitions.plan(definitions.check(text, "w.yaml")).hash
        Program(json.loads(plan.text))  # and the interpreter reads it
