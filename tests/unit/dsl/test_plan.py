"""The plan: frozen, hashed, the same everywhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aima.catalog import discover
from aima.dsl.plan import FORMAT, READABLE, Plan
from aima.gateway.workflows.definitions import Definitions
from aima.shipped import shipped
from tests.unit.dsl.checking import plan

GOLDEN = Path(__file__).parent / "golden" / "voice-assistant.json"
WORKFLOW = shipped("workflows") / "voice-assistant.yaml"

TELL_HASH = """
import sys
from pathlib import Path
from aima.catalog import discover
from aima.gateway.workflows.definitions import Definitions
definitions = Definitions(discover())
file = Path(sys.argv[1])
print(definitions.plan(definitions.check(file.read_bytes(), "any name")).hash)
"""


def compiled() -> Plan:
    """Compile the shipped workflow."""
    definitions = Definitions(discover())
    return definitions.plan(definitions.check(WORKFLOW.read_bytes(), "voice-assistant.yaml"))


def test_the_shipped_plan_is_the_golden_one() -> None:
    """What a plan looks like is a format that runs in flight depend on.

    After a change that is meant: write `aima plan`'s JSON of today into the golden file, and
    look at the difference.
    """
    assert json.loads(compiled().text) == json.loads(GOLDEN.read_text("utf-8"))


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_the_hash_is_the_same_in_every_process(seed: str) -> None:
    """Sets and hashes of texts differ between processes; a plan must not show it."""
    told = subprocess.run(
        [sys.executable, "-c", TELL_HASH, str(WORKFLOW)],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == compiled().hash


def test_a_plan_holds_neither_code_nor_the_places_of_this_machine() -> None:
    """It travels to other machines and outlives this version."""
    text = compiled().text
    for forbidden in (str(Path.cwd()), str(WORKFLOW), "activities.", "lambda", "def ", "import "):
        assert forbidden not in text


def test_a_plan_is_plain_json_that_reads_back_equal() -> None:
    """Nothing in it is a tuple, a set or an object."""
    original = compiled()
    again = Plan(json.loads(original.text))
    assert again == original
    assert again.hash == original.hash


def test_equal_texts_give_equal_plans_and_a_changed_value_another() -> None:
    """A run names its plan by content, so a change of one character must show."""
    text = (
        "name: w\nconfig: {a: %s}\nsteps: [{id: a, type: made.up, input: {text: '${config.a}!'}}]"
    )
    assert plan(text % 1).hash == plan(text % 1).hash
    assert plan(text % 1).hash != plan(text % 2).hash
    assert plan(text % 1).hash != plan(text % 1.0).hash
    assert plan(text % 1).hash.startswith("sha256:")


def test_the_order_of_keys_is_the_authors() -> None:
    """Whoever prints a map sees them in the order in which they were written."""
    text = "name: w\nsteps: [{id: a, type: made.up, input: {text: x, anything: {b: 1, a: 2}}}]"
    assert '"anything":{"b":1,"a":2}' in plan(text).text
    assert plan(text).hash != plan(text.replace("b: 1, a: 2", "a: 2, b: 1")).hash


def test_this_version_reads_what_it_writes() -> None:
    """An interpreter must run the plans of its own compiler."""
    assert FORMAT in READABLE
