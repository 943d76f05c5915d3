"""The units of a process: AIMA's own, a project's, and those of installed packages."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from aima.catalog import catalog_of, discover
from aima.errors import Conflict, UnitNotFound
from aima.unit import Context, Domain

UNIT = '''
from pydantic import BaseModel
from aima.unit import Context, Domain

acme = Domain("acme")

class Words(BaseModel):
    """A text."""
    text: str

@acme.query()
async def shout(request: Words, ctx: Context) -> Words:
    """Write a text in capitals."""
    return Words(text=request.text.upper())
'''
LIST = """
import sys
from pathlib import Path
from aima.catalog import discover
from aima.errors import AimaError
try:
    print(*discover(Path(sys.argv[1])).units)
except AimaError as error:
    print(error.code, error)
"""


class Nothing(BaseModel):
    """No fields."""


def domain(name: str, *verbs: str) -> Domain:
    """Declare units that do nothing."""
    made = Domain(name)
    for verb in verbs:

        async def body(request: Nothing, ctx: Context) -> Nothing:
            """Do nothing."""
            del ctx
            return request

        body.__name__ = verb
        made.query()(body)
    return made


def units_in(project: Path) -> str:
    """List the units that a process with this project has."""
    return subprocess.run(
        [sys.executable, "-c", LIST, str(project)], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_aimas_own_units_are_found() -> None:
    """Without anybody listing them."""
    assert "inference.chat" in discover().units


def test_units_are_in_the_order_of_their_names() -> None:
    """Pages and lists derived from them must not change by chance."""
    catalog = catalog_of(domain("b", "y", "x"), domain("a", "z"))
    assert [unit.name for unit in catalog] == ["a.z", "b.x", "b.y"]


def test_a_unit_that_is_not_there_is_told_with_the_nearest() -> None:
    """`aima unit infrence.chat` is one key away."""
    catalog = catalog_of(domain("model", "pull"))
    assert catalog.get("model.pull").name == "model.pull"
    with pytest.raises(UnitNotFound, match=r"did you mean 'model\.pull'"):
        catalog.get("model.pul")
    with pytest.raises(UnitNotFound, match="`aima units` lists them"):
        catalog.get("something.else")


def test_two_domains_cannot_declare_one_unit() -> None:
    """Which one runs would depend on the order of imports."""
    with pytest.raises(
        Conflict, match=r"unit 'model.pull' is declared by .* and by .*; rename one"
    ):
        catalog_of(domain("model", "pull"), domain("model", "push", "pull"))


def test_two_modules_may_share_a_domains_name() -> None:
    """A project may add `model.check` to `model.*`; only whole names collide."""
    assert list(catalog_of(domain("model", "pull"), domain("model", "check")).units) == [
        "model.check",
        "model.pull",
    ]


def test_a_signature_is_what_the_language_needs() -> None:
    """Types and defaults, no code."""
    signature = catalog_of(domain("model", "pull")).signatures()["model.pull"]
    assert (signature.name, signature.idempotent) == ("model.pull", True)
    assert signature.input["type"] == "object"
    assert signature.retry.attempts == 3


def test_a_projects_units_join_by_being_there(tmp_path: Path) -> None:
    """One file beside `aima.toml`, and AIMA's own are still found."""
    (tmp_path / "activities").mkdir()
    (tmp_path / "activities" / "acme.py").write_text(UNIT)
    found = units_in(tmp_path).split()
    assert "acme.shout" in found
    assert "inference.chat" in found


def test_an_init_file_that_would_hide_aimas_units_is_told(tmp_path: Path) -> None:
    """A habit of years makes a folder of its own out of a shared one."""
    (tmp_path / "activities").mkdir()
    (tmp_path / "activities" / "__init__.py").touch()
    (tmp_path / "activities" / "acme.py").write_text(UNIT)
    told = units_in(tmp_path)
    assert told.startswith("CONFLICT")
    assert "__init__.py' hides AIMA's own units; remove it" in told


def test_an_installed_packages_units_join_by_their_entry_point(tmp_path: Path) -> None:
    """`pip install acme-units` is all that a user does."""
    (tmp_path / "acme_units.py").write_text(UNIT)
    info = tmp_path / "acme_units-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-units\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[aima.units]\nacme = acme_units:acme\n")
    found = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.append({str(tmp_path)!r})\n{LIST}", "/"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "acme.shout" in found
