"""The codes of errors that a workflow names: to handle them, or not to try again after them."""

from __future__ import annotations

from aima.dsl.check import Checker
from aima.dsl.diagnostic import define
from aima.dsl.nearest import nearest
from aima.dsl.node import Mapping, Node, Scalar, Sequence
from aima.errors import error_classes

MISSPELT = define("catch/misspelt-code", "A code is nearly that of an error, but no error has it.")


def warn_of_misspelt(codes: Node, checker: Checker) -> None:
    """Tell codes that were probably meant to be another.

    A unit of somebody else, or a child workflow, may fail with a code that nobody here knows; so
    only what is close to a known one is told.
    """
    known = {one.code for one in error_classes()} | _raised(checker)
    for item in codes.items if isinstance(codes, Sequence) else ():
        code = item.value if isinstance(item, Scalar) else None
        if isinstance(code, str) and code not in known and (meant := nearest(code, sorted(known))):
            message = f"no error has the code {code!r}"
            checker.findings.warning(MISSPELT, item, message, f"did you mean {meant!r}?")


def _raised(checker: Checker) -> set[str]:
    """Give the codes that the document's own steps raise."""
    found = set[str]()
    for step in checker.document.all_steps:
        said = step.node.get("raise")
        code = said.get("code") if isinstance(said, Mapping) else None
        if isinstance(code, Scalar) and isinstance(code.value, str):
            found.add(code.value)
    return found
