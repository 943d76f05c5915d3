"""Functions on lists and maps."""

from __future__ import annotations

from aima.dsl.expression.compare import less, ordered, real
from aima.dsl.expression.errors import Fault
from aima.dsl.expression.limits import Budget
from aima.dsl.expression.operators import add
from aima.dsl.expression.values import is_number, phrase


def size(_: Budget, value: object) -> int:
    """``size(value)``: characters of a text, items of a list, entries of a map.

    >>> size("née")
    >>> [1, 2, 3].size()
    """
    if isinstance(value, str | list | dict):
        return len(value)
    raise Fault(f"{phrase(value)} has no size; a string, a list and a map have")


def range_of(budget: Budget, *bounds: object) -> list[int]:
    """``range(end)`` or ``range(start, end)``: numbers from 0, or ``start``, to before ``end``.

    >>> range(3)
    >>> range(2, 5)
    """
    whole = [bound for bound in bounds if type(bound) is int]
    if len(whole) < len(bounds):
        raise Fault("range() takes ints")
    counted = range(*whole)
    budget.visit(max(0, counted.stop - counted.start))
    return list(counted)


def total(budget: Budget, items: object) -> object:
    """``sum(numbers)``: all of them added; of none, 0.

    >>> sum([1, 2, 3.5].map(x, double(x)))
    >>> [1, 2].sum()
    """
    found = _items("sum", items)
    budget.visit(len(found))
    result: object = 0
    for index, item in enumerate(found):
        if not is_number(item):
            raise Fault(f"sum() works on numbers, not on {phrase(item)}")
        result = add(result, item, budget) if index else item
    return result


def smallest(budget: Budget, *values: object) -> object:
    """``min(list)`` or ``min(a, b, …)``: the smallest.

    >>> min([3, 1, 2])
    >>> min(4, 2.5)
    """
    found = _compared("min", values)
    budget.visit(len(found))
    result = found[0]
    for item in found:
        if less(item, result, budget):
            result = item
    return result


def largest(budget: Budget, *values: object) -> object:
    """``max(list)`` or ``max(a, b, …)``: the largest.

    >>> max([3, 1, 2])
    """
    found = _compared("max", values)
    budget.visit(len(found))
    result = found[0]
    for item in found:
        if less(result, item, budget):
            result = item
    return result


def sort(budget: Budget, items: object) -> list[object]:
    """``sort(list)``: the items, the smallest first.

    >>> sort(["b", "a"])
    """
    found = _items("sort", items)
    rounds = len(found).bit_length()
    budget.visit(len(found) * rounds // 4)
    budget.read(sum(len(item) for item in found if isinstance(item, str)) * rounds)
    kinds = {type(item): item for item in found}
    for one in kinds.values():
        for other in kinds.values():
            ordered(one, other, budget)
    return sorted(found, key=real if len(kinds) > 1 else None)  # type: ignore[arg-type, type-var]  # only ints with doubles have an order


def flatten(budget: Budget, items: object) -> list[object]:
    """``flatten(list)``: lists in the list give their items, one level deep.

    >>> [[1, 2], 3].flatten()
    """
    result: list[object] = []
    for item in _items("flatten", items):
        inner = item if isinstance(item, list) else [item]
        budget.visit(1 + len(inner))
        result += inner
    return result


def keys(budget: Budget, value: object) -> list[object]:
    """``keys(map)``: its keys, in their order.

    >>> keys({"a": 1, "b": 2})
    """
    if not isinstance(value, dict):
        raise Fault(f"keys() works on a map, not on {phrase(value)}")
    budget.visit(len(value))
    return list(value)


def _items(function: str, value: object) -> list[object]:
    if isinstance(value, list):
        return value
    raise Fault(f"{function}() works on a list, not on {phrase(value)}")


def _compared(function: str, values: tuple[object, ...]) -> list[object]:
    found = _items(function, values[0]) if len(values) == 1 else list(values)
    if not found:
        raise Fault(f"an empty list has no {function}", "guard it with `size(list) > 0 ? … : …`")
    return found
