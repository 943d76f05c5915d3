"""The reference of the language is made of what each construct's own file says."""

from dataclasses import replace

import pytest

from aima.catalog import discover
from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.document import WRONG_TYPE, Step
from aima.dsl.expression.functions import FUNCTIONS
from aima.dsl.expression.macros import MACRO_BODIES
from aima.dsl.json import Json
from aima.dsl.language import Modifier
from aima.dsl.node import Node
from aima.dsl.signature import JsonSchema
from aima.gateway.reference.construct_codes import (
    diagnostics_of,
    diagnostics_of_values,
    failures_of,
)
from aima.gateway.reference.expression_page import doc_of_function, evaluated
from aima.gateway.reference.language_pages import Part, keys_of, language_pages, parts_of
from aima.gateway.workflows.definitions import Definitions
from aima.workflows.constructs import language

PARTS = parts_of(language())


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    """The shipped units."""
    return Definitions(discover())


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_every_construct_has_an_example_without_a_finding(
    part: Part, definitions: Definitions
) -> None:
    """It is what readers copy."""
    assert not definitions.check(part.doc.example, "example.yaml").diagnostics
    assert f"{part.key}:" in part.doc.example


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_every_key_says_what_it_means(part: Part) -> None:
    """A name and a type alone are no reference."""
    assert part.doc.prose.endswith(".")
    assert part.doc.shape.startswith("``")
    assert not [key.path for key in keys_of(part) if not key.meaning.endswith(".")]


@pytest.mark.parametrize("body", [*(f.body for f in FUNCTIONS.values()), *MACRO_BODIES.values()])
def test_every_function_has_a_signature_and_an_example(body: object) -> None:
    """The page shows what it gives; an error there would be an error of the page."""
    assert callable(body)
    told, examples = doc_of_function(body)
    assert "(" in told.partition("``: ")[0]
    assert examples
    assert not [text for text in examples if evaluated(text)[0] not in '"[{0123456789tf-']


def test_a_construct_brings_its_page_by_being_there() -> None:
    """No other file is touched when the language grows."""
    known = language()
    grown = replace(known, modifiers={**known.modifiers, "mood": Mood()})
    page = "\n".join(language_pages(grown, discover())["language/modifiers/mood"])
    assert "| `mood.tone` | text |  | How it sounds. |" in page
    assert "document/wrong-type" in page


def test_codes_are_those_that_the_source_names() -> None:
    """Through functions, base classes and properties; a list by hand would lag behind."""
    known = language()
    assert "value/bad-duration" in diagnostics_of(known.modifiers["deadline"])
    assert "step/only-units" in diagnostics_of(known.modifiers["cache"])
    assert "expression/unknown-step" in diagnostics_of_values()
    assert failures_of(known.bodies["repeat"]) == ("REPEAT_LIMIT", "VALIDATION_ERROR")


class Mood(Modifier):
    """A construct that a later version may have."""

    key = "mood"

    def schema(self) -> JsonSchema:
        """Give a schema with a key inside."""
        tone = {"type": "string", "description": "How it sounds."}
        return {"type": "object", "properties": {"tone": tone}}

    def check(self, value: Node, step: Step, checker: Checker) -> None:
        """Find something."""
        del step
        checker.findings.error(WRONG_TYPE, value, "no mood")

    def compile(self, value: Node, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give nothing."""
        del value, step, compiler
        return {}
