"""Texts with ``${…}`` in them, and whole values made of such texts.

A text that is exactly one ``${…}`` keeps the type of its value; inside longer text the value
is turned into text. ``$${`` is a literal ``${``, read from left to right.

In a compiled value, which is plain JSON, expressions are maps with one key that begins with
``$``. Everything else is literal, so data can never become an expression:

==================== ==================================================================
``{"$": e}``         the value of the expression ``e``
``{"$text": [...]}`` literal texts and expressions, joined to one text
``{"$literal": {}}`` a map whose own keys are literal though one begins with ``$``; its
                     values are compiled values
==================== ==================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from aima.dsl.expression.errors import ExpressionError, ExpressionSyntaxError, Fault
from aima.dsl.expression.expression import Expression, parse_embedded
from aima.dsl.expression.limits import MAX_DEPTH, Budget
from aima.dsl.expression.reads import Read
from aima.dsl.expression.text import json_text
from aima.dsl.json import Json

ERROR_KEYS = frozenset({"code", "message", "step", "unit", "item", "attempt", "line"})
"""The keys of an error as `on_failure: continue` and `catch` give it."""

Evaluator: TypeAlias = Callable[[Mapping[str, object]], Json]
Parse: TypeAlias = "Callable[[str], Template]"


@dataclass(frozen=True)
class Template:
    """A text cut into literal texts and expressions.

    The offsets in its reads and errors count into the whole text.
    """

    parts: tuple[str | Expression, ...]

    @cached_property
    def expressions(self) -> tuple[Expression, ...]:
        """The expressions, in the order of the text."""
        return tuple(part for part in self.parts if isinstance(part, Expression))

    @property
    def is_literal(self) -> bool:
        """Whether there is no expression in it."""
        return not self.expressions

    @property
    def is_whole(self) -> bool:
        """Whether it is exactly one ``${…}``, so that the value keeps its type."""
        return len(self.parts) == 1 and not self.is_literal

    @property
    def is_path(self) -> bool:
        """Whether it is exactly one ``${…}`` with a root and names: ``${steps.chat.content}``."""
        return self.is_whole and self.expressions[0].is_path

    @cached_property
    def reads(self) -> tuple[Read, ...]:
        """Every reference to a root, in the order of the text."""
        return tuple(read for expression in self.expressions for read in expression.reads)

    def to_json(self) -> Json:
        """Give the compiled value."""
        if self.is_literal:
            return "".join(map(str, self.parts))
        stored = [part if isinstance(part, str) else part.to_json() for part in self.parts]
        return {"$": stored[0]} if self.is_whole else {"$text": stored}

    @classmethod
    def from_json(cls, data: Json) -> Template:
        """Take what :meth:`to_json` gave; :class:`ExpressionSyntaxError` tells what is none."""
        match data:
            case str(text):
                return cls((text,) if text else ())
            case {"$": expression, **others} if not others:
                return cls((Expression.from_json(expression),))
            case {"$text": list(parts), **others} if not others:
                return cls(
                    tuple(p if isinstance(p, str) else Expression.from_json(p) for p in parts)
                )
        raise ExpressionSyntaxError("this is no stored template", hint="compile the workflow again")

    def evaluate(self, roots: Mapping[str, object]) -> Json:
        """Give the value for these data; :class:`ExpressionEvaluationError` when there is none."""
        return self._evaluate(roots)

    @cached_property
    def _evaluate(self) -> Evaluator:
        if self.is_whole:
            return self.expressions[0].evaluate
        if self.is_literal:
            literal = self.to_json()
            return lambda _: literal
        return self._join

    def _join(self, roots: Mapping[str, object]) -> str:
        budget = Budget()
        texts: list[str] = []
        for part in self.parts:
            if isinstance(part, str):
                texts.append(part)
                continue
            value = part.evaluate(roots)
            try:
                texts.append(_text(value, budget))
            except Fault as fault:
                raise fault.located(part.tree.at, part.tree.end) from None
        return "".join(texts)


def parse_template(text: str, names: Collection[str] = ()) -> Template:
    """Cut a text into literal texts and expressions.

    ``names`` are the declared ids and keys, for those with hyphens. Raises
    :class:`ExpressionSyntaxError` with offsets into ``text``.
    """
    parts: list[str | Expression] = []
    literal, at = "", 0
    while (dollar := text.find("${", at)) >= 0:
        if dollar > at and text[dollar - 1] == "$":
            literal += text[at : dollar - 1] + "${"
            at = dollar + 2
            continue
        literal += text[at:dollar]
        expression, end = parse_embedded(text, dollar + 2, names)
        parts += [literal, expression] if literal else [expression]
        literal, at = "", end + 1
    literal += text[at:]
    return Template(tuple([*parts, literal] if literal else parts))


def to_text(value: Json) -> str:
    """Turn a value into text as it stands inside a longer text.

    A text is itself and an error of a step is its message; everything else is compact JSON
    with keys in their order, Unicode as it is, and doubles without ``.0``.
    """
    try:
        return _text(value, Budget())
    except Fault as fault:
        raise fault.located(0, 0) from None


def _text(value: Json, budget: Budget) -> str:
    if isinstance(value, dict) and _is_error(value):
        value = value["message"]
    if isinstance(value, str):
        budget.write(len(value))
        return value
    return json_text(value, budget)


def _is_error(value: dict[str, Json]) -> bool:
    """Tell an error of a step: a code and a message, both text, and no key errors lack."""
    texts = (value.get("code"), value.get("message"))
    return all(isinstance(text, str) for text in texts) and value.keys() <= ERROR_KEYS


# -- whole values ----------------------------------------------------------------------


def compile_value(value: Json, parse: Parse = parse_template) -> Json:
    """Compile every text of a value; what holds no expression is given back as it is.

    ``parse`` reads a text, for those who have read it before. The ``path`` of an
    :class:`ExpressionSyntaxError` leads to the wrong text.
    """
    return _compile(value, parse, 0)


def _compile(value: Json, parse: Parse, depth: int) -> Json:
    if isinstance(value, str):
        return parse(value).to_json() if "${" in value else value
    if not isinstance(value, list | dict):
        return value
    if depth == MAX_DEPTH:
        raise _too_deep()
    if isinstance(value, list):
        items = [_compile_at(index, item, parse, depth) for index, item in enumerate(value)]
        return value if _same(items, value) else items
    entries = {key: _compile_at(key, item, parse, depth) for key, item in value.items()}
    compiled = value if _same(entries.values(), value.values()) else entries
    return {"$literal": compiled} if any(key.startswith("$") for key in value) else compiled


def _compile_at(key: str | int, value: Json, parse: Parse, depth: int) -> Json:
    try:
        return _compile(value, parse, depth + 1)
    except ExpressionError as error:
        error.path = (key, *error.path)
        raise


def _too_deep() -> ExpressionSyntaxError:
    return ExpressionSyntaxError(f"lists and maps are nested more than {MAX_DEPTH} levels deep")


def _same(some: Iterable[Json], others: Iterable[Json]) -> bool:
    """Tell whether both hold the very same objects."""
    return all(a is b for a, b in zip(some, others, strict=True))


def evaluator(compiled: Json) -> Evaluator:
    """Build, once for a plan, the function that evaluates a compiled value.

    Literal parts of its result are the compiled value's own, never copies: do not change them.
    The ``path`` of an :class:`ExpressionEvaluationError` leads to the text that failed.
    """
    literal, evaluate = _build(compiled, 0)
    return evaluate or (lambda _: literal)


def is_literal(compiled: Json) -> bool:
    """Tell whether a compiled value is the same for all data."""
    return _build(compiled, 0)[1] is None


def _build(compiled: Json, depth: int) -> tuple[Json, Evaluator | None]:
    """Take a compiled value apart: it is a literal, or there is a function that evaluates it."""
    if depth > MAX_DEPTH:
        raise _too_deep()
    if isinstance(compiled, list):
        return _build_list(compiled, depth + 1)
    if not isinstance(compiled, dict):
        return compiled, None
    match compiled:
        case {"$literal": dict(entries), **others} if not others:
            return _build_map(entries, depth + 1)
    if any(key.startswith("$") for key in compiled):
        return None, Template.from_json(compiled).evaluate
    return _build_map(compiled, depth + 1)


def _build_list(items: list[Json], depth: int) -> tuple[Json, Evaluator | None]:
    built = [_build(item, depth) for item in items]
    literal = [value for value, _ in built]
    dynamic = [(index, evaluate) for index, (_, evaluate) in enumerate(built) if evaluate]
    if not dynamic:
        return items if _same(literal, items) else literal, None

    def evaluate_list(roots: Mapping[str, object]) -> Json:
        result = literal.copy()
        for index, evaluate in dynamic:
            try:
                result[index] = evaluate(roots)
            except ExpressionError as error:
                error.path = (index, *error.path)
                raise
        return result

    return None, evaluate_list


def _build_map(entries: dict[str, Json], depth: int) -> tuple[Json, Evaluator | None]:
    built = {key: _build(value, depth) for key, value in entries.items()}
    literal = {key: value for key, (value, _) in built.items()}
    dynamic = [(key, evaluate) for key, (_, evaluate) in built.items() if evaluate]
    if not dynamic:
        return entries if _same(literal.values(), entries.values()) else literal, None

    def evaluate_map(roots: Mapping[str, object]) -> Json:
        result = literal.copy()
        for key, evaluate in dynamic:
            try:
                result[key] = evaluate(roots)
            except ExpressionError as error:
                error.path = (key, *error.path)
                raise
        return result

    return None, evaluate_map
