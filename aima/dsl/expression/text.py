"""Values as text: JSON, and numbers as CEL writes them."""

from __future__ import annotations

import math
from json.encoder import encode_basestring

from aima.dsl.expression.compare import too_deep
from aima.dsl.expression.errors import Fault
from aima.dsl.expression.limits import MAX_DEPTH, Budget
from aima.dsl.expression.values import int64, phrase

_MILLION = 1e6
_CONSTANTS = {True: "true", False: "false", None: "null"}


def json_text(value: object, budget: Budget, depth: int = 0) -> str:
    """Write plain data as compact JSON: keys in their order, Unicode as it is, 1.0 as ``1``."""
    if isinstance(value, list | dict):
        return _container_text(value, budget, depth)
    if isinstance(value, str):
        budget.write(len(value) + 2)
        return encode_basestring(value)
    return _atom_text(value)


def _container_text(value: list[object] | dict[str, object], budget: Budget, depth: int) -> str:
    if depth == MAX_DEPTH:
        raise too_deep()
    budget.visit(1 + len(value))
    if isinstance(value, list):
        return f"[{','.join([json_text(item, budget, depth + 1) for item in value])}]"
    entries = [
        f"{json_text(key, budget)}:{json_text(item, budget, depth + 1)}"
        for key, item in value.items()
    ]
    return f"{{{','.join(entries)}}}"


def _atom_text(value: object) -> str:
    if value is None or isinstance(value, bool):
        return _CONSTANTS[value]
    if isinstance(value, int):
        return str(int64(value))
    if isinstance(value, float):
        return _real_text(value)
    raise Fault(f"{phrase(value)} cannot be written as JSON")


def _real_text(value: float) -> str:
    """Write a finite double as JSON does: the fewest digits that give it back, no ``.0``."""
    if not math.isfinite(value):
        raise Fault("a number that is not finite cannot be written as JSON")
    return repr(value).removesuffix(".0")


def cel_real(value: float) -> str:
    """Write a double as CEL's ``string()`` does: ``0.5``, ``1e+06``, ``inf``.

    The digits are the fewest that give the number back; from a million on, and below 10⁻⁴, an
    exponent is written.
    """
    text = repr(value).removesuffix(".0")
    if not _MILLION <= abs(value) < math.inf or "e" in text:
        return text
    digits = len(text.lstrip("-").replace(".", "").rstrip("0"))
    return f"{value:.{digits - 1}e}"
