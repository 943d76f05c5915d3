"""From tokens to a syntax tree, by CEL's grammar.

Source: https://github.com/cel-expr/cel-spec/blob/master/doc/langdef.md#syntax. Left out are
messages, names that begin with a dot, and optional entries in list and map literals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from aima.dsl.expression.errors import ExpressionSyntaxError
from aima.dsl.expression.functions import NAMESPACE, check_call
from aima.dsl.expression.limits import MAX_NESTING
from aima.dsl.expression.literals import INT_MAX, too_large
from aima.dsl.expression.nodes import (
    MACROS,
    Binary,
    Call,
    Conditional,
    Const,
    Get,
    Has,
    Link,
    ListOf,
    Logic,
    Macro,
    MapOf,
    Name,
    Node,
    Unary,
)
from aima.dsl.expression.tokens import Kind, Token

_CONSTANTS = {"true": True, "false": False, "null": None}
_KEYWORDS = frozenset({*_CONSTANTS, "in"})
_RESERVED = frozenset(
    (
        *("as", "break", "const", "continue", "else", "for", "function", "if", "import", "in"),
        *("let", "loop", "package", "namespace", "return", "var", "void", "while"),
    )
)
_STRENGTH = {
    **dict.fromkeys(("||",), 1),
    **dict.fromkeys(("&&",), 2),
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in"), 3),
    **dict.fromkeys(("+", "-"), 4),
    **dict.fromkeys(("*", "/", "%"), 5),
}
_INSTEAD = {
    "and": "write `&&`",
    "or": "write `||`",
    "not": "write `!`",
    "is": "write `==`",
    "if": "write `condition ? yes : no`",
    "for": "write `list.map(x, …)` or `list.filter(x, …)`",
}


class Parser:
    """Reads one expression from its tokens, left to right."""

    def __init__(self, tokens: list[Token]) -> None:
        """Start at the first token; the last one is the end."""
        self._tokens = tokens
        self._index = 0
        self._depth = 0

    def parse(self) -> Node:
        """Read all tokens as one expression."""
        if len(self._tokens) == 1:
            raise self._unexpected("an expression is missing here")
        node = self._expression()
        if self._index < len(self._tokens) - 1:
            raise self._unexpected("the expression should end here")
        return node

    # -- operators ---------------------------------------------------------------------

    def _expression(self) -> Node:
        self._descend()
        node = self._operation(1)
        if self._take("?"):
            yes = self._operation(1)
            self._expect(":", "a conditional is written `condition ? yes : no`")
            no = self._expression()
            node = Conditional(node.at, no.end, node, yes, no)
        self._depth -= 1
        return node

    def _operation(self, weakest: int) -> Node:
        """Read operands joined by operators that bind at least as strongly as ``weakest``."""
        self._descend()
        left = self._unary()
        while (strength := _STRENGTH.get(self._here.text, 0)) >= weakest:
            operator = self._next().text
            operands = [left, self._operation(strength + 1)]
            if operator in ("&&", "||"):
                while self._take(operator):
                    operands.append(self._operation(strength + 1))
                left = Logic(left.at, operands[-1].end, operator, tuple(operands))
            else:
                left = Binary(left.at, operands[-1].end, operator, *operands)
        self._depth -= 1
        return left

    def _unary(self) -> Node:
        sign, count = self._here, 0
        while sign.text in ("-", "!") and self._here.text == sign.text and not self._negative:
            self._index += 1
            count += 1
        operand = self._member()
        # As in CEL's own parser, two of a sign cancel each other without a look at the operand.
        return Unary(sign.at, operand.end, sign.text, operand) if count % 2 else operand

    @property
    def _negative(self) -> bool:
        """Whether a minus stands here that belongs to a number."""
        if self._here.text != "-":
            return False
        return type(self._tokens[self._index + 1].value) in (int, float)

    # -- a value and the links into it -------------------------------------------------

    def _member(self) -> Node:
        node = self._primary()
        links: list[Link] = []
        while True:
            if self._take("["):
                links.append(self._index_link())
            elif self._take("."):
                optional = self._take("?")
                name = self._field()
                if self._here.text == "(" and not optional:
                    node = self._method(_path(node, links), name)
                    links = []
                else:
                    links.append(Link(name.at, name.end, optional, name.text))
            else:
                return _path(node, links)

    def _index_link(self) -> Link:
        at = self._tokens[self._index - 1].at
        optional = self._take("?")
        key = self._expression()
        return Link(at, self._expect("]").end, optional, key)

    def _field(self) -> Token:
        name = self._here
        if name.kind is not Kind.NAME:
            raise self._unexpected("a name is wanted after the dot")
        if name.text in _KEYWORDS:
            raise self._unexpected("a name is wanted after the dot", f"write `['{name.text}']`")
        return self._next()

    def _method(self, target: Node, name: Token) -> Node:
        if isinstance(target, Name) and target.name == NAMESPACE:
            return self._call(f"{NAMESPACE}.{name.text}", name, at=target.at)
        if name.text in MACROS:
            return self._macro(target, name)
        return self._call(name.text, name, at=target.at, target=target)

    def _macro(self, over: Node, name: Token) -> Node:
        arguments, end = self._arguments()
        if len(arguments) not in ((2, 3) if name.text == "map" else (2,)):
            message = f"{name.text}() takes a name and an expression, as in `{name.text}(x, …)`"
            raise ExpressionSyntaxError(message, offset=name.at, end=end)
        variable, *keep, body = arguments
        if not isinstance(variable, Name):
            raise ExpressionSyntaxError(
                f"the first argument of {name.text}() is a name of your choice for an item",
                offset=variable.at,
                end=variable.end,
                hint=f"write `{name.text}(x, …)`",
            )
        condition = keep[0] if keep else None
        return Macro(over.at, end, name.text, over, variable.name, condition, body)

    def _call(self, function: str, name: Token, *, at: int, target: Node | None = None) -> Node:
        arguments, end = self._arguments()
        if target is not None:
            arguments.insert(0, target)
        check_call(
            function, len(arguments), method=target is not None, offset=name.at, end=name.end
        )
        return Call(at, end, function, target is not None, tuple(arguments))

    # -- what stands alone -------------------------------------------------------------

    def _primary(self) -> Node:
        token = self._here
        if token.kind is Kind.VALUE or self._negative:
            return self._literal()
        if token.kind is Kind.NAME:
            return self._word()
        if self._take("("):
            node = self._expression()
            self._expect(")")
            return node
        if self._take("["):
            items, end = self._listed("]", lambda: [self._expression()], trailing=True)
            return ListOf(token.at, end, tuple(items))
        if self._take("{"):
            entries, end = self._listed("}", self._entry, trailing=True)
            return MapOf(token.at, end, tuple(entries))
        raise self._unexpected("a value is wanted here")

    def _literal(self) -> Node:
        at = self._here.at
        sign = -1 if self._take("-") else 1
        token = self._next()
        value = token.value
        if isinstance(value, int | float):
            value *= sign
            if isinstance(value, int) and value > INT_MAX:
                raise too_large(at, token.end)
        return Const(at, token.end, value)

    def _word(self) -> Node:
        token = self._here
        if token.text in _RESERVED:
            raise self._unexpected("a value is wanted here")
        self._next()
        if token.text in _CONSTANTS:
            return Const(token.at, token.end, _CONSTANTS[token.text])
        if self._here.text != "(":
            return Name(token.at, token.end, token.text)
        if token.text == "has":
            return self._has(token)
        return self._call(token.text, token, at=token.at)

    def _has(self, token: Token) -> Node:
        arguments, end = self._arguments()
        path = arguments[0] if len(arguments) == 1 else None
        if not isinstance(path, Get) or path.links[-1].optional:
            raise ExpressionSyntaxError(
                "has() takes a path", offset=token.at, end=end, hint="write `has(steps.x.field)`"
            )
        return Has(token.at, end, path)

    def _entry(self) -> Iterable[Node]:
        key = self._expression()
        self._expect(":", "a map is written `{'key': value}`")
        return key, self._expression()

    def _arguments(self) -> tuple[list[Node], int]:
        self._expect("(")
        return self._listed(")", lambda: [self._expression()])

    def _listed(
        self, closing: str, read: Callable[[], Iterable[Node]], *, trailing: bool = False
    ) -> tuple[list[Node], int]:
        """Read what is separated by commas up to ``closing``; give it with its end."""
        found: list[Node] = []
        while self._here.text != closing:
            if found:
                self._expect(",", f"a comma or {closing!r} is missing")
                if trailing and self._here.text == closing:
                    break
            found.extend(read())
        return found, self._expect(closing).end

    # -- tokens ------------------------------------------------------------------------

    @property
    def _here(self) -> Token:
        return self._tokens[self._index]

    def _next(self) -> Token:
        self._index += 1
        return self._tokens[self._index - 1]

    def _take(self, sign: str) -> bool:
        found = self._here.text == sign
        self._index += found
        return found

    def _expect(self, sign: str, hint: str | None = None) -> Token:
        if not self._take(sign):
            raise self._unexpected(f"{sign!r} is wanted here", hint)
        return self._tokens[self._index - 1]

    def _descend(self) -> None:
        self._depth += 1
        if self._depth > 2 * MAX_NESTING:  # brackets make no node, but they take our stack
            raise ExpressionSyntaxError(
                f"this is nested more than {MAX_NESTING} levels deep",
                offset=self._here.at,
                end=self._here.end,
            )

    def _unexpected(self, message: str, hint: str | None = None) -> ExpressionSyntaxError:
        token = self._here
        if token.kind is not Kind.END:
            message = f"{message}, not {token.text[:40]!r}"
        before = self._tokens[self._index - 1].text if self._index else ""
        hint = hint or _INSTEAD.get(token.text) or _INSTEAD.get(before)
        return ExpressionSyntaxError(message, offset=token.at, end=token.end, hint=hint)


def _path(base: Node, links: list[Link]) -> Node:
    if not links:
        return base
    if isinstance(base, Get):  # it stood in parentheses
        return Get(base.at, links[-1].end, base.base, (*base.links, *links))
    return Get(base.at, links[-1].end, base, tuple(links))
