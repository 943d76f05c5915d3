from pathlib import Path

import pytest

from aima.errors import AimaError
from aima.store import open_store
from aima.store.applied import AppliedWorkflow
from aima.store.database import Store
from aima.store.kept import KeptStore


def workflow(text: str) -> AppliedWorkflow:
    """Say how a workflow of some text is stored."""
    return AppliedWorkflow("greet", plan="{}", hash=text, source="greet.yaml", text=text)


def test_a_store_is_opened_once_and_sees_what_others_write(tmp_path: Path) -> None:
    """Opening costs more than asking; `aima apply` in another process counts at once."""
    opened: list[Store] = []

    def open_it() -> Store:
        opened.append(open_store(tmp_path / "aima.db"))
        return opened[-1]

    kept = KeptStore(open_it)
    with kept() as store:
        assert store.applied.get("greet") is None
    for said in ("one", "two"):
        with open_store(tmp_path / "aima.db") as other:
            other.applied.put(workflow(said))
        with kept() as store:
            found = store.applied.get("greet")
        assert found is not None
        assert found.text == said
    assert len(opened) == 1
    kept.close()


async def test_a_store_that_cannot_be_opened_is_tried_again(tmp_path: Path) -> None:
    """What was wrong with it may have been mended meanwhile."""
    file = tmp_path / "folder" / "aima.db"
    file.parent.write_text("no folder")
    async with KeptStore(lambda: open_store(file)) as kept:
        with pytest.raises(AimaError):
            kept()
        file.parent.unlink()
        with kept() as store:
            assert store.applied.all() == []
