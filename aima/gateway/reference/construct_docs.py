"""What the file of a construct says of itself, read from its docstring.

The first line is ``key: shape``: its sentence. Paragraphs follow, then a workflow that has it and,
where the workflow can be run, the case that tries it, as in a ``NAME.test.yaml``::

    ``wait: 30s``: a durable timer.

    Nothing is held meanwhile.

    In a workflow::

        name: …

    Tried with::

        expect: …
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from aima.dsl.language import Body, Modifier, Section
from aima.dsl.load import load
from aima.dsl.node import to_json

_EXAMPLE = "In a workflow::\n"
_CASE = "Tried with::\n"


@dataclass(frozen=True)
class ConstructDoc:
    """A construct as its author explains it.

    Attributes:
        shape: how it is written, in short.
        sentence: what it is.
        prose: what more there is to know, in Markdown.
        example: the text of a whole workflow that has it.
        case: what its example is given and must give; empty where it cannot run by itself.
    """

    shape: str
    sentence: str
    prose: str
    example: str
    case: dict[str, Any]

    @property
    def meaning(self) -> str:
        """The sentence, as a sentence."""
        return (self.sentence[:1].upper() + self.sentence[1:]).replace("``", "`")


def module_of(construct: Body | Modifier | Section) -> ModuleType:
    """Give the file of a construct."""
    return sys.modules[type(construct).__module__]


def doc_of(construct: Body | Modifier | Section) -> ConstructDoc:
    """Read what a construct's file says of it."""
    first, _, rest = inspect.cleandoc(module_of(construct).__doc__ or "").partition("\n")
    shape, _, sentence = first.rpartition("``: ")
    prose, _, tried = rest.partition(_EXAMPLE)
    example, _, case = tried.partition(_CASE)
    _, root, _ = load(textwrap.dedent(case), "case")
    said = to_json(root) if root is not None else {}
    return ConstructDoc(
        shape=f"{shape}``" if shape else "",
        sentence=sentence,
        prose=prose.strip(),
        example=textwrap.dedent(example).strip("\n"),
        case=said if isinstance(said, dict) else {},
    )
