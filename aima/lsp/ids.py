"""Where the id of a step stands: where it is given, and wherever it is read or waited for."""

from __future__ import annotations

from collections.abc import Iterator

from aima.dsl.document import Document, Text
from aima.dsl.expression import Read
from aima.dsl.node import Mark, Scalar, Sequence


def declared(document: Document, name: str) -> Mark | None:
    """Give the place where a step gets its id."""
    for step in document.all_steps:
        if step.id == name:
            return _inside_quotes(step.place)
    return None


def uses(document: Document, name: str) -> Iterator[Mark]:
    """Give the places that read a step or wait for it."""
    for step in document.all_steps:
        after = step.get("depends_on")
        for item in after.items if isinstance(after, Sequence) else ():
            if isinstance(item, Scalar) and item.value == name:
                yield _inside_quotes(item)
    for text in document.texts(document.node):
        for read in text.template.reads:
            if read.path[:2] == ("steps", name):
                yield from _in(text, read, name)


def id_at(document: Document, mark: Mark) -> str:
    """Name the step whose id stands at a place; empty where none does."""
    for step in document.all_steps:
        places = (declared(document, step.id), *uses(document, step.id))
        for place in filter(None, places):
            if place.line == mark.line and 0 <= mark.column - place.column <= len(step.id):
                return step.id
    return ""


def _in(text: Text, read: Read, name: str) -> Iterator[Mark]:
    value = text.scalar.value
    if isinstance(value, str):
        found = value.find(name, read.offset + len("steps"), read.end)
        if found != -1:
            yield text.scalar.locate(found)


def _inside_quotes(scalar: Scalar) -> Mark:
    return scalar.locate(0)
