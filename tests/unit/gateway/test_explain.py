"""The page of each diagnostic: `aima explain` shows it, and its examples are what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from aima.catalog import Catalog, catalog_of, discover
from aima.dsl.diagnostic import CODES
from aima.gateway.explain import page_of
from aima.gateway.workflows.definitions import Definitions
from aima.shipped import shipped
from aima.unit import Context, Domain
from aima.workflows.constructs import language

PAGES = shipped("diagnostics")
language()  # declares the codes of the constructs
OURS = sorted(code for code in CODES if not code.startswith("test/"))  # other tests have their own

EXAMPLE = re.compile(r"## (Wrong|Right)\n\n```yaml *([a-z0-9-]*)\n(.*?\n)```", re.DOTALL)
MORE = re.compile(r"(.*\n) *# … and (\d+) more like this one")
DEEPER = "          # … and 100 more like these\n"
SIGNS = str.maketrans({"␛": "\x1b", "→": "\t"})  # the pages say so


class Charge(BaseModel):
    """A payment."""

    amount: int
    token: SecretStr | None = None


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    """Check with the units that AIMA ships, and one that must not be repeated."""
    payment = Domain("payment")

    @payment.command(idempotent=False)
    async def charge(request: Charge, ctx: Context) -> Charge:
        """Take money."""
        raise NotImplementedError

    return Definitions(Catalog({**discover().units, **catalog_of(payment).units}))


def examples(code: str) -> dict[str, bytes]:
    """Give the two examples of a page, by what they are called."""
    text = (PAGES / f"{code}.md").read_text("utf-8")
    return {
        kind: written_out(example).encode(encoding or "utf-8")
        for kind, encoding, example in EXAMPLE.findall(text)
    }


def written_out(example: str) -> str:
    """Write what a page only hints at."""
    if DEEPER in example:
        levels = "".join(
            f"{'    ' * n}  - id: b{n}\n{'    ' * n}    steps:\n" for n in range(2, 102)
        )
        last = f"{'    ' * 102}  - {{id: end, set: {{x: 1}}}}\n"
        example = example.replace(DEEPER, levels + last)
    return MORE.sub(lambda found: found[1] * (1 + int(found[2])), example).translate(SIGNS)


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    """A message that leads nowhere is half a message."""
    pages = {file.relative_to(PAGES).with_suffix("").as_posix() for file in PAGES.rglob("*.md")}
    assert pages == set(OURS)


@pytest.mark.parametrize("code", OURS)
def test_the_wrong_example_is_wrong_in_that_way_and_the_right_one_is_right(
    code: str, definitions: Definitions
) -> None:
    """People copy the right one, and compare theirs with the wrong one."""
    shown = examples(code)
    wrong = definitions.check(shown["Wrong"], "wrong.yaml").diagnostics
    if code == "yaml/too-many-mistakes":  # the others are what there are too many of
        assert code in {found.code for found in wrong}
    else:
        assert {found.code for found in wrong} == {code}
    assert definitions.check(shown["Right"], "right.yaml").diagnostics == ()


@pytest.mark.parametrize("code", OURS)
def test_a_page_starts_with_its_code_and_its_meaning(code: str) -> None:
    """The meaning stands in the code too; they must not part."""
    assert page_of(code).startswith(f"# {code}\n\n{CODES[code]}\n\n")


def test_every_link_of_a_page_leads_somewhere() -> None:
    """From the page's own folder, as on a code host."""
    for file in PAGES.rglob("*.md"):
        for link in re.findall(r"\]\(([^)#]+)\)", file.read_text("utf-8")):
            assert (file.parent / link).exists(), f"{file}: {link}"


def test_no_page_leaves_its_folder(tmp_path: Path) -> None:
    """A code comes from the command line and is looked up as a file."""
    del tmp_path
    for code in ("../../README", "/etc/passwd", "yaml", "yaml/", ""):
        assert page_of(code) == ""
