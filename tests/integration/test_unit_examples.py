"""Every example of every unit does what it shows, on the embedded engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from aima.catalog import discover
from aima.shipped import shipped
from aima.unit import Example, Unit
from tests.acceptance.command import Aima, models_folder

EXAMPLES = [(unit, example) for unit in discover() for example in unit.examples]


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
    yield command
    assert command.call("down").returncode == 0


@pytest.mark.parametrize(
    ("unit", "example"), EXAMPLES, ids=[f"{unit.name}: {shown.title}" for unit, shown in EXAMPLES]
)
def test_an_example_does_what_it_shows(aima: Aima, unit: Unit, example: Example) -> None:
    """Models never answer twice alike: where an example has predicates, they must hold instead."""
    file = Path(aima.cwd) / "input.json"
    file.write_text(json.dumps(dict(example.input)))
    output = aima.ask("exec", unit.name, "--input-file", file)["output"]
    if example.holds:
        assert [holds(output) for holds in example.holds] == [True] * len(example.holds), output
    else:
        assert output == dict(example.output)
