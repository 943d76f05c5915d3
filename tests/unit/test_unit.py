"""Declaring units: what is said once, and what is refused at once."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from pydantic import BaseModel

from aima.errors import RateLimited
from aima.testing import FakeContext
from aima.unit import Context, Domain, Example, Kind, Retry


class Words(BaseModel):
    """A text."""

    text: str


class Count(BaseModel):
    """How many words."""

    words: int


def declared(domain: Domain | None = None) -> Domain:
    """Declare one unit."""
    domain = domain or Domain("acme")

    @domain.query(errors=(RateLimited,), examples=(Example("Two", {"text": "a b"}, {"words": 2}),))
    async def count_words(request: Words, ctx: Context) -> Count:
        """Count the words of a text.

        Signs between spaces are words.
        """
        ctx.progress("counted")
        return Count(words=len(request.text.split()))

    return domain


def test_a_unit_knows_everything_that_was_said_of_it() -> None:
    """Schemas, pages, doors and the activity derive from this one object."""
    unit = declared().units["acme.count_words"]
    assert (unit.name, unit.kind, unit.idempotent) == ("acme.count_words", Kind.QUERY, True)
    assert (unit.input, unit.output) == (Words, Count)
    assert unit.summary == "Count the words of a text."
    assert unit.description.endswith("\n\nSigns between spaces are words.")
    assert (unit.timeout, unit.retry) == (timedelta(minutes=1), Retry())
    assert unit.errors == (RateLimited,)
    assert unit.examples[0].output == {"words": 2}


async def test_a_declared_function_stays_a_function() -> None:
    """Tests and other units call it as what it is."""
    domain = Domain("acme")

    @domain.command(idempotent=False)
    async def shout(request: Words, ctx: Context) -> Words:
        """Write a text in capitals."""
        del ctx
        return Words(text=request.text.upper())

    assert await shout(Words(text="a"), FakeContext()) == Words(text="A")
    assert domain.units["acme.shout"].kind is Kind.COMMAND
    assert domain.units["acme.shout"].idempotent is False


def test_a_trailing_underscore_makes_room_for_keywords() -> None:
    """`import` and `break` are good names for units and none for functions."""
    domain = Domain("acme")

    @domain.query()
    async def import_(request: Words, ctx: Context) -> Words:
        """Import something."""
        del ctx
        return request

    assert list(domain.units) == ["acme.import"]


async def _documented(request: Words, ctx: Context) -> Words:
    """Do something."""
    del ctx
    return request


async def _undocumented(request: Words, ctx: Context) -> Words:
    del ctx
    return request


def _blocking(request: Words, ctx: Context) -> Words:
    """Block the worker."""
    del ctx
    return request


async def _untyped(request, ctx):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202 - the mistake
    """Take and give anything."""
    del ctx
    return request


async def _gives_text(request: Words, ctx: Context) -> str:
    """Give what is no model."""
    del ctx
    return request.text


async def _takes_nothing_known(request: BaseModel, ctx: Context) -> Words:
    """Take a model without fields or name."""
    del ctx
    return Words(text=str(request))


@pytest.mark.parametrize(
    ("name", "body", "told"),
    [
        ("undocumented", _undocumented, "has no docstring; its first line is what users read"),
        ("blocking", _blocking, "must be `async def`; a thread may do its blocking work"),
        ("untyped", _untyped, r"must be `async def untyped\(request: Model, ctx: Context\)"),
        ("gives_text", _gives_text, "with pydantic models of its own"),
        ("takes", _takes_nothing_known, "with pydantic models of its own"),
        ("Shout", _documented, "is no unit name: write lower-case words, as in model.pull"),
        ("_hidden", _documented, "is no unit name"),
    ],
)
def test_what_is_no_unit_is_refused_where_it_is_declared(
    name: str, body: Callable[..., object], told: str
) -> None:
    """The mistake is in this file, not in the first run that uses it."""
    body.__name__ = name
    domain = Domain("acme")
    with pytest.raises(TypeError, match=told):
        domain.query()(body)  # type: ignore[arg-type] # the mistake under test
    assert domain.units == {}


def test_a_name_is_declared_once() -> None:
    """The second would silently replace the first."""
    domain = declared()
    with pytest.raises(TypeError, match=r"'acme.count_words' is declared twice in this domain"):
        declared(domain)


@pytest.mark.parametrize("name", ["Acme", "ac-me", "1acme", "", "a.b"])
def test_a_domain_has_a_name_too(name: str) -> None:
    """It is the first half of a unit's name, in YAML, on the command line and in Temporal."""
    with pytest.raises(TypeError, match="is no unit name"):
        declared(Domain(name))


@pytest.mark.parametrize(
    "wrong",
    [{"attempts": 0}, {"backoff": 0.5}, {"delay": timedelta(seconds=-1)}],
    ids=["attempts", "backoff", "delay"],
)
def test_a_policy_that_temporal_would_refuse_is_refused_here(wrong: dict[str, object]) -> None:
    """Temporal refuses it when a run is on its way, and then again and again."""
    with pytest.raises(ValueError, match="is no policy"):
        Retry(**wrong)  # type: ignore[arg-type] # the mistake under test


def test_a_unit_says_when_its_old_outputs_are_out_of_date() -> None:
    """A cache knows outputs by the version; a unit that says nothing is of the first one."""
    domain = declared()

    @domain.query(version=3)
    async def count_letters(request: Words, ctx: Context) -> Count:
        """Count the letters of a text."""
        del ctx
        return Count(words=len(request.text))

    versions = {name: unit.version for name, unit in domain.units.items()}
    assert versions == {"acme.count_words": 1, "acme.count_letters": 3}
