"""From a syntax tree to a function that evaluates it.

Each node becomes one closure: evaluating is calling, and nothing is looked up that the text
already says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import singledispatch
from typing import TypeAlias

from aima.dsl.expression.access import follow, follow_optional, leads_on, unknown_root
from aima.dsl.expression.errors import (
    ExpressionEvaluationError,
    ExpressionLimitExceeded,
    Fault,
)
from aima.dsl.expression.functions import FUNCTIONS
from aima.dsl.expression.limits import STEPS_OF_AN_ERROR, Budget, Run
from aima.dsl.expression.macros import MACRO_BODIES, Condition, Evaluate, Loop
from aima.dsl.expression.nodes import (
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
    names_of,
    path_of,
    type_of,
)
from aima.dsl.expression.operators import OPERATORS, negate
from aima.dsl.expression.result import plain
from aima.dsl.expression.values import Optional, TypeName, phrase
from aima.dsl.json import Json

Evaluator: TypeAlias = Callable[[Mapping[str, object]], Json]
Scope: TypeAlias = tuple[str, ...]
"""The names that the macros around a node bind, outermost first."""


def compile_tree(tree: Node) -> Evaluator:
    """Compile a whole expression into a function of its roots."""
    evaluate = _compile(tree, ())
    rooms = _rooms(tree)
    ready = _is_ready(tree)
    keys = path_of(tree)

    def give(roots: Mapping[str, object]) -> Json:
        try:
            value = evaluate(Run(roots, rooms))
            return value if ready else plain(value, Budget())  # type: ignore[return-value]  # a part of the roots
        except Fault as fault:
            raise fault.located(tree.at, tree.end) from None

    def read(roots: Mapping[str, object]) -> Json:
        value: object = roots
        try:
            for key in keys:
                value = value[key]  # type: ignore[index]  # a TypeError where it cannot be
        except (KeyError, TypeError):
            return give(roots)  # which tells what is wrong
        return value  # type: ignore[return-value]  # a part of the roots

    return read if keys else give


@singledispatch
def _compile(node: Node, scope: Scope) -> Evaluate:
    raise NotImplementedError(type(node), scope)


@_compile.register
def _const(node: Const, _: Scope) -> Evaluate:
    value = node.value
    return lambda _: value


@_compile.register
def _list(node: ListOf, scope: Scope) -> Evaluate:
    items = [_compile(item, scope) for item in node.items]
    return lambda run: [item(run) for item in items]


# -- names and paths -------------------------------------------------------------------


@_compile.register
def _name(node: Name, scope: Scope) -> Evaluate:
    name = node.name
    if name in scope:
        slot = len(scope) - 1 - scope[::-1].index(name)
        return lambda run: run.bound[slot]
    if type_of(node) is not None:
        return _type(name)

    def root(run: Run) -> object:
        if name in run.roots:
            return run.roots[name]
        raise unknown_root(name, run.roots).located(node.at, node.end)

    return root


def _type(name: str) -> Evaluate:
    kind = TypeName(name)
    return lambda _: kind


@_compile.register
def _get(node: Get, scope: Scope) -> Evaluate:
    if (name := type_of(node)) is not None and names_of(node)[0] not in scope:
        return _type(name)
    base = _compile(node.base, scope)
    where = node.base.name if isinstance(node.base, Name) else "this"
    steps: list[Callable[[object, Run], object]] = []
    for link in node.links:
        steps.append(_step(link, where, scope))
        where = _further(where, link)

    def get(run: Run) -> object:
        value = base(run)
        for step in steps:
            value = step(value, run)
        return value

    keys = path_of(node)[1:]

    def get_plain(run: Run) -> object:
        value = base(run)
        try:
            for key in keys:
                value = value[key]  # type: ignore[index]  # a TypeError where it cannot be
        except (KeyError, TypeError):
            return get(run)  # which tells what is wrong
        return value

    return get_plain if keys else get


def _step(link: Link, where: str, scope: Scope) -> Callable[[object, Run], object]:
    go = follow_optional if link.optional else follow
    constant = link.constant
    key_of = _key(link, scope)

    def step(value: object, run: Run) -> object:
        key = key_of(run) if constant is None else constant
        try:
            return go(value, key, where)
        except Fault as fault:
            raise fault.located(link.at, link.end) from None

    return step


def _key(link: Link, scope: Scope) -> Evaluate:
    key = link.key
    return _compile(key, scope) if isinstance(key, Node) else lambda _: key


def _further(where: str, link: Link) -> str:
    """Say in messages what a path has read after one more link."""
    key = link.constant
    if isinstance(link.key, str):
        return f"{where}.{key}"
    return f"{where}[{key!r}]" if key is not None else f"{where}[…]"


@_compile.register
def _has(node: Has, scope: Scope) -> Evaluate:
    base = _compile(node.path.base, scope)
    keys = [_key(link, scope) for link in node.path.links]

    def has(run: Run) -> bool:
        value = base(run)
        for key_of in keys:
            key = key_of(run)
            if isinstance(value, Optional):
                value = value.value  # nothing leads on from the None of an absent one
            if not leads_on(value, key):
                return False
            value = follow(value, key, "")
        return True

    return has


# -- operators, calls, literals --------------------------------------------------------


@_compile.register
def _call(node: Call, scope: Scope) -> Evaluate:
    function = FUNCTIONS[node.function]
    body = function.body
    arguments = [_compile(argument, scope) for argument in node.arguments]
    last = arguments.pop() if function.lazy else None

    def call(run: Run) -> object:
        values = [argument(run) for argument in arguments]
        try:
            return body(run, *values, lambda: last(run)) if last else body(run, *values)
        except Fault as fault:
            raise fault.located(node.at, node.end) from None

    return call


@_compile.register
def _map(node: MapOf, scope: Scope) -> Evaluate:
    entries = [_compile(part, scope) for part in node.entries]
    keys = list(zip(entries[::2], entries[1::2], node.entries[::2], strict=True))

    def make(run: Run) -> dict[str, object]:
        result: dict[str, object] = {}
        for key_of, value_of, place in keys:
            key = key_of(run)
            if not isinstance(key, str):
                fault = Fault(f"a key of a map is text, not {phrase(key)}", "write string(x)")
                raise fault.located(place.at, place.end)
            if key in result:
                raise Fault(f"the key {key[:64]!r} is there twice").located(place.at, place.end)
            result[key] = value_of(run)
        return result

    return make


@_compile.register
def _unary(node: Unary, scope: Scope) -> Evaluate:
    if node.operator == "!":
        condition = _condition(node.operand, scope, "`!`")
        return lambda run: not condition(run)
    operand = _compile(node.operand, scope)

    def minus(run: Run) -> object:
        value = operand(run)
        try:
            return negate(value)
        except Fault as fault:
            raise fault.located(node.at, node.end) from None

    return minus


@_compile.register
def _binary(node: Binary, scope: Scope) -> Evaluate:
    left, right = _compile(node.left, scope), _compile(node.right, scope)
    operate = OPERATORS[node.operator]

    def binary(run: Run) -> object:
        a, b = left(run), right(run)
        try:
            return operate(a, b, run)
        except Fault as fault:
            raise fault.located(node.at, node.end) from None

    return binary


def _condition(node: Node, scope: Scope, user: str) -> Condition:
    """Compile what must be true or false for its ``user``: nothing is truthy."""
    evaluate = _compile(node, scope)

    def condition(run: Run) -> bool:
        value = evaluate(run)
        if value is True or value is False:
            return value
        fault = Fault(f"{user} works on booleans, not on {phrase(value)}", "compare, as in `x > 0`")
        raise fault.located(node.at, node.end)

    return condition


@_compile.register
def _logic(node: Logic, scope: Scope) -> Evaluate:
    """Compile ``&&`` or ``||``: an operand that decides absorbs the errors of the others."""
    conditions = [_condition(operand, scope, f"`{node.operator}`") for operand in node.operands]
    decisive = node.operator == "||"

    def logic(run: Run) -> bool:
        failure: ExpressionEvaluationError | None = None
        for condition in conditions:
            try:
                if condition(run) is decisive:
                    return decisive
            except ExpressionLimitExceeded:
                raise
            except ExpressionEvaluationError as error:
                run.visit(STEPS_OF_AN_ERROR)
                failure = failure or error
        if failure is not None:
            raise failure
        return not decisive

    return logic


@_compile.register
def _conditional(node: Conditional, scope: Scope) -> Evaluate:
    test = _condition(node.test, scope, "`?`")
    yes, no = _compile(node.yes, scope), _compile(node.no, scope)
    return lambda run: yes(run) if test(run) else no(run)


@_compile.register
def _macro(node: Macro, scope: Scope) -> Evaluate:
    inside = (*scope, node.variable)
    condition = node.keep if node.kind == "map" else node.body
    loop = Loop(
        kind=node.kind,
        over=_compile(node.over, scope),
        slot=len(scope),
        cost=_cost(node.body) + (0 if node.keep is None else _cost(node.keep)),
        condition=_condition(condition, inside, f"{node.kind}()") if condition else _always,
        body=_compile(node.body, inside),
    )
    run_macro = MACRO_BODIES[node.kind]

    def macro(run: Run) -> object:
        try:
            return run_macro(loop, run)
        except Fault as fault:
            raise fault.located(node.at, node.end) from None

    return macro


def _always(_: Run) -> bool:
    return True


# -- what is known of a tree before it runs --------------------------------------------


def _is_ready(node: Node) -> bool:
    """Tell whether the result is a part of the roots: plain data already, however large."""
    match node:
        case Const():
            return True
        case Get():
            optional = any(link.optional for link in node.links)
            return type_of(node) is None and _is_ready(node.base) and not optional
        case Conditional():
            return _is_ready(node.yes) and _is_ready(node.no)
        case Call(function="orValue", arguments=(Get(base=base), other)):
            return _is_ready(base) and _is_ready(other)
        case ListOf():
            return not node.items
        case _:
            return isinstance(node, Name) and type_of(node) is None


def _rooms(node: Node) -> int:
    """Count how many macro variables are bound at once."""
    inside = max(map(_rooms, node.children()), default=0)
    return inside + isinstance(node, Macro)


def _cost(node: Node) -> int:
    """Count the steps of evaluating a node once; inner macros count their own rounds."""
    links = len(node.links) if isinstance(node, Get) else 0
    return 1 + links + sum(map(_cost, node.children()))
