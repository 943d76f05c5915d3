"""The examples of the language's reference, run as their constructs' files say."""

import json
from pathlib import Path

from aima.catalog import discover
from aima.gateway.reference.language_pages import Part, parts_of
from aima.gateway.workflows.definitions import Definitions
from aima.trial.runner import run_files
from aima.workflows.constructs import language

NEEDS_A_MACHINE = ["queue"]


def written(part: Part, folder: Path) -> Path:
    """Write an example with the case that tries it."""
    name = part.name.replace("/", "-")
    (folder / f"{name}.yaml").write_text(part.doc.example, encoding="utf-8")
    file = folder / f"{name}.test.yaml"
    file.write_text(json.dumps({"cases": [{"name": part.key, **part.doc.case}]}))
    return file


async def test_every_example_does_what_its_page_says(tmp_path: Path) -> None:
    """An example that does something else teaches the wrong language."""
    parts = parts_of(language())
    assert [part.key for part in parts if not part.doc.case] == NEEDS_A_MACHINE
    tests = [written(part, tmp_path) for part in parts if part.doc.case]
    async for done in run_files(tests, Definitions(discover())):
        assert not [case.wrong for case in done.results if case.wrong], done.file.name
