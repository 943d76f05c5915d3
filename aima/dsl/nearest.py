"""Did you mean …? The known word that a mistyped one was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST = 64  # nobody mistypes longer names letter by letter, and the cost grows as the square
_SPELLING = str.maketrans("", "", "-_. ")


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """Give the candidate closest to ``word``; None when none is near.

    Near is: the same but for case and ``-_.``, or at most one slip in three letters, where a
    slip is a letter added, dropped, changed, or swapped with its neighbour. Of equally near
    ones the first in alphabetical order is given, so the answer never depends on their order.
    """
    if len(word) > _LONGEST:
        return None
    meant = _folded(word)
    allowed = max(1, len(meant) // 3)
    near: list[tuple[int, str]] = []
    for candidate in candidates:
        if len(candidate) <= _LONGEST:
            slips = _slips(meant, _folded(candidate), most=allowed)
            if slips <= allowed and slips < len(candidate):
                near.append((slips, candidate))
    return min(near)[1] if near else None


def _folded(word: str) -> str:
    return word.lower().translate(_SPELLING)


def _slips(one: str, other: str, *, most: int) -> int:
    """Count the slips between two words; past ``most`` any larger number will do.

    This is the optimal string alignment distance: Damerau's, with no letter edited twice.
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    above = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        row = [i]
        for j, b in enumerate(other, start=1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(*row, *above) > most:  # a swap reaches two rows back
            return most + 1
        before, above = above, row
    return above[-1]
