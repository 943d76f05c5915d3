"""An expression: its text, its syntax tree, and what evaluates it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from aima.dsl.expression.codec import decode, encode
from aima.dsl.expression.compile import Evaluator, compile_tree
from aima.dsl.expression.errors import ExpressionSyntaxError
from aima.dsl.expression.kind import kind_of
from aima.dsl.expression.nodes import Node, Path, path_of
from aima.dsl.expression.parser import Parser
from aima.dsl.expression.reads import Read, proves, reads_of
from aima.dsl.expression.tokens import tokens_of
from aima.dsl.json import Json


@dataclass(frozen=True)
class Expression:
    """One expression of the workflow language, ready to be evaluated or stored.

    ``source`` is its text. The offsets in its errors and reads count into the text it was
    parsed from: ``source`` itself, or the template around it.
    """

    source: str
    tree: Node = field(repr=False)

    def evaluate(self, roots: Mapping[str, object]) -> Json:
        """Give the value for these data: a root's name to plain data, read where they lie.

        A path gives a part of ``roots`` itself, not a copy. Raises
        :class:`ExpressionEvaluationError` when there is no value.
        """
        return self._evaluate(roots)

    @cached_property
    def _evaluate(self) -> Evaluator:
        return compile_tree(self.tree)

    @cached_property
    def reads(self) -> tuple[Read, ...]:
        """Every reference to a root, in the order of the text."""
        return reads_of(self.tree)

    @cached_property
    def proves(self) -> tuple[Path, ...]:
        """The paths that are certainly present where this expression is true."""
        return proves(self.tree, outcome=True)

    @property
    def kind(self) -> str | None:
        """The JSON type of the value, where the text alone tells it."""
        return kind_of(self.tree)

    @property
    def is_path(self) -> bool:
        """Whether this is a root, or a root and names, and nothing else: ``steps.chat``."""
        return bool(path_of(self.tree))

    @property
    def ast(self) -> list[Json]:
        """The syntax tree as nested lists."""
        return encode(self.tree)

    def to_json(self) -> Json:
        """Give what a plan stores."""
        return {"source": self.source, "ast": self.ast}

    @classmethod
    def from_json(cls, data: Json) -> Expression:
        """Take what a plan stores; :class:`ExpressionSyntaxError` tells what is none."""
        match data:
            case {"source": str(source), "ast": list(ast)}:
                return cls(source, decode(ast))
        raise ExpressionSyntaxError(
            "this is no stored expression", hint="it has a source and an ast"
        )


def parse(text: str, names: Collection[str] = ()) -> Expression:
    """Read an expression; :class:`ExpressionSyntaxError` tells where it is none.

    ``names`` are the declared ids and keys: one with hyphens is read as a name where it stands
    whole, so ``steps.load-data.items`` is no subtraction.
    """
    return Expression(text, Parser(tokens_of(text, names)).parse())


def parse_embedded(text: str, start: int, names: Collection[str] = ()) -> tuple[Expression, int]:
    """Read the expression that begins at ``start`` and ends before a ``}`` that is not its own.

    Gives it with the index of that brace.
    """
    tokens = tokens_of(text, names, start=start, embedded=True)
    end = tokens[-1].at
    if end == len(text):
        raise ExpressionSyntaxError(
            "this `${` is not closed",
            offset=start - 2,
            end=start,
            hint="close it with `}`, or write `$${` for a literal `${`",
        )
    return Expression(text[start:end], Parser(tokens).parse()), end
