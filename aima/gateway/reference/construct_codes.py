"""Which diagnostics and error codes a construct can give, read from its source.

A page that lists them by hand lags behind the code. So the functions of a construct are followed,
as far as they lead by names with a declared type, and the codes that they name are collected. It
runs only when the reference is written.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from types import FunctionType
from typing import Any

from aima.dsl.check import Checker
from aima.dsl.diagnostic import CODES
from aima.dsl.language import Body, Modifier, Section
from aima.workflows import frame
from aima.workflows.failure import StepFailed

VALUES = ("value", "call", "literal", "condition", "type_of")
"""What a checker does for any value; its codes are told once for all constructs."""

_ERROR = re.compile(r"[A-Z]{3,}(_[A-Z]+)*")


def diagnostics_of(construct: Body | Modifier | Section) -> tuple[str, ...]:
    """Name what a construct's check can find, besides what is wrong with any value."""
    stop = {getattr(Checker, name) for name in VALUES}
    trail = _Trail(stop=stop, within=("aima.", type(construct).__module__))
    trail.method(type(construct), "check")
    return tuple(sorted(trail.names & CODES.keys()))


def diagnostics_of_values() -> tuple[str, ...]:
    """Name what can be wrong with any value and any expression."""
    trail = _Trail()
    for name in VALUES:
        trail.method(Checker, name)
    return tuple(sorted(trail.names & CODES.keys()))


def failures_of(construct: Body | Modifier | Section) -> tuple[str, ...]:
    """Name the codes with which a construct itself can fail as it runs."""
    own = [one.__module__ for one in type(construct).__mro__]
    trail = _Trail(within=(*own, frame.__name__))
    for name in ("run", "around"):
        trail.method(type(construct), name)
    return tuple(sorted(code for code in trail.raised if _ERROR.fullmatch(code)))


@dataclass
class _Trail:
    """Functions followed, and what they name."""

    stop: set[Any] = field(default_factory=set)
    within: tuple[str, ...] = ("aima.",)
    names: set[str] = field(default_factory=set)
    raised: set[str] = field(default_factory=set)
    seen: set[Any] = field(default_factory=set)

    def method(self, owner: type, name: str) -> None:
        """Follow a method, and those of the same name that it stands over."""
        for one in owner.__mro__:
            found = vars(one).get(name)
            for inside in ("__func__", "fget", "func"):  # of static methods and properties
                found = getattr(found, inside, found)
            if isinstance(found, FunctionType):
                self.follow(found, owner)

    def follow(self, function: FunctionType, owner: type | None) -> None:
        """Follow a function once."""
        if function in self.seen or function in self.stop:
            return
        self.seen.add(function)
        if not function.__module__.startswith(self.within):
            return
        source = _Source(function, owner)
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Name):
                value = source.names.get(node.id)
                if isinstance(value, str):
                    self.names.add(value)
                elif isinstance(value, FunctionType):
                    self.follow(value, None)
            elif isinstance(node, ast.Attribute):
                if (kind := source.kind(node.value)) is not None:
                    self.method(kind, node.attr)
            elif isinstance(node, ast.Call):
                self.raised.update(_told(node))


def _told(call: ast.Call) -> Iterator[str]:
    """Give the code that a call makes an error of, such as ``node.error("TIMEOUT", …)``."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name in ("error", "_error"):
        first = call.args[0] if call.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value


@dataclass
class _Source:
    """A function's tree, and what the names in it mean."""

    function: FunctionType
    owner: type | None

    @cached_property
    def tree(self) -> ast.AST:
        return ast.parse(textwrap.dedent(inspect.getsource(self.function)))

    @cached_property
    def names(self) -> dict[str, Any]:
        return self.function.__globals__

    def kind(self, node: ast.expr) -> type | None:
        """Give the class of a value, where its declaration tells.

        ``super()`` has none: a method's name is followed through all classes anyway.
        """
        match node:
            case ast.Name("self"):
                return self.owner
            case ast.Name(name):
                return _declared(self.function, name)
            case ast.Attribute(value, attr) if (outer := self.kind(value)) is not None:
                made = inspect.getattr_static(outer, attr, None)  # of a property: what it returns
                made = getattr(made, "fget", getattr(made, "func", None))
                return _declared(outer, attr) or _declared(made, "return")
            case ast.Call(ast.Name(name)):
                return _declared(self.names.get(name), "return")
            case ast.Call(ast.Attribute(value, attr)) if (outer := self.kind(value)) is not None:
                return _declared(getattr(outer, attr, None), "return")
        return None


def _declared(owner: Callable[..., Any] | type | None, name: str) -> type | None:
    """Resolve an annotation, which is text in every module of AIMA."""
    said = getattr(owner, "__annotations__", {}).get(name)
    module = sys.modules.get(getattr(owner, "__module__", ""))
    known = {"Frame": frame.Frame, "Node": frame.Node, "StepFailed": StepFailed}
    found = vars(module).get(said, known.get(said)) if module and isinstance(said, str) else None
    return found if isinstance(found, type) else None
