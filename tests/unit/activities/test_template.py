"""The unit `template.render`."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from activities.template import RenderRequest, render, template
from aima.errors import NotFound, ValidationFailed
from aima.testing import FakeContext
from aima.unit import Kind


async def test_a_literal_template_is_filled_in() -> None:
    """The short form, in the workflow itself."""
    request = RenderRequest(text="Hello {{ name }}", values={"name": "Ada"})
    assert (await render(request, FakeContext())).text == "Hello Ada"


async def test_a_shipped_template_is_found_by_its_name() -> None:
    """The long form, in a file."""
    request = RenderRequest(template="summarize.j2", values={"text": "It rains."})
    assert (await render(request, FakeContext())).text.endswith("\n\nIt rains.\n")


async def test_a_missing_value_is_an_error() -> None:
    """A prompt with a hole in it gives a fluent answer to another question."""
    with pytest.raises(ValidationFailed, match="'name' is undefined"):
        await render(RenderRequest(text="Hello {{ name }}"), FakeContext())


async def test_an_unknown_template_is_told() -> None:
    """With the names there are."""
    with pytest.raises(NotFound, match=r"summarize\.j2"):
        await render(RenderRequest(template="summarise.j2"), FakeContext())


@pytest.mark.parametrize("given", [{}, {"text": "a", "template": "a.j2"}])
def test_one_of_text_and_template_is_given(given: dict[str, str]) -> None:
    """Which of two counts would be a guess."""
    with pytest.raises(ValidationError, match="either `template` or `text`"):
        RenderRequest.model_validate(given)


@pytest.mark.parametrize("name", ["../a.j2", "/a.j2", "a", "a.txt", "a/.j2", ".j2", "a.j2\n"])
def test_a_name_is_the_name_of_a_template(name: str) -> None:
    """No other file is one."""
    with pytest.raises(ValidationError):
        RenderRequest(template=name)


def test_the_unit_says_that_its_text_must_be_literal() -> None:
    """So the checker refuses `${` there: what a model wrote never becomes a template."""
    schema = template.units["template.render"].input.model_json_schema()
    assert schema["properties"]["text"]["x-aima-literal"] is True


def test_the_unit_is_a_short_query() -> None:
    """It changes nothing, and may run in the interpreter's own worker."""
    unit = template.units["template.render"]
    assert (unit.kind, unit.timeout.total_seconds(), unit.idempotent) == (Kind.QUERY, 5, True)
