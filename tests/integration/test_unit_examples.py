"""Every example of every unit does what it shows, on the embedded engine."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from aima.catalog import discover
from aima.shipped import shipped
from aima.unit import Example, Unit
from tests.acceptance.command import Aima, models_folder
from tests.acceptance.typed import typed

UNITS = discover()
EXAMPLES = [(unit, example) for unit in UNITS for example in unit.examples]
PREPARED = ("retrieval.index",)
"""Units whose first example makes what examples of other units look for."""


@pytest.fixture(scope="module")
def aima(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aima]:
    """A running AIMA in a folder where the files that examples name lie beside their input."""
    folder = tmp_path_factory.mktemp("examples")
    (folder / "assets").symlink_to(shipped("workflows").absolute() / "assets")
    data = folder / "data"
    data.mkdir()
    (data / "models").symlink_to(models_folder())
    command = Aima(data, folder)
    command.up()
    for name in PREPARED:
        run_example(command, UNITS.get(name), UNITS.get(name).examples[0])
    yield command
    assert command.call("down").returncode == 0


@pytest.mark.parametrize(
    ("unit", "example"), EXAMPLES, ids=[f"{unit.name}: {shown.title}" for unit, shown in EXAMPLES]
)
def test_an_example_does_what_it_shows(aima: Aima, unit: Unit, example: Example) -> None:
    """Models never answer twice alike: where an example has predicates, they must hold instead."""
    if example.fails:
        code, told = call_example(aima, unit, example)
        assert code
        assert json.loads(told)["error"]["code"] == example.fails.code
        return
    output = run_example(aima, unit, example)
    if example.holds:
        assert [holds(output) for holds in example.holds] == [True] * len(example.holds), output
    else:
        assert output == dict(example.output)


def run_example(aima: Aima, unit: Unit, example: Example) -> dict[str, object]:
    """Run an example as a user would; give the output."""
    code, told = call_example(aima, unit, example)
    assert code == 0, told
    output: dict[str, object] = json.loads(told)["output"]
    return output


def call_example(aima: Aima, unit: Unit, example: Example) -> tuple[int, str]:
    """Run an example to its end, whatever that is; give the exit code and what is printed."""
    file = aima.cwd / "input.json"
    file.write_text(json.dumps(dict(example.input)))
    return typed(aima.cwd, aima.environ, "exec", unit.name, "--input-file", file, "--json")
