"""Did you mean …? The known word that a mistyped one was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

# Word and candidates may both come from a hostile file, so the work for one answer is bounded.
_LONGEST = 40
_MOST_SLIPS = 4
_MOST_CANDIDATES = 200
_SPELLING = str.maketrans("", "", "-_. ")


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """Give the candidate closest to ``word``; None when none is near.

    Near is: the same but for case and ``-_.``, or one slip in three letters and never more than
    four, where a slip is a letter added, dropped, changed, or swapped with its neighbour. Of
    equally near ones the first in alphabetical order is given. Only the first 200 candidates
    are looked at, and no word longer than 40 letters.
    """
    if len(word) > _LONGEST:
        return None
    meant = _folded(word)
    allowed = max(1, min(_MOST_SLIPS, len(meant) // 3))
    near: list[tuple[int, str]] = []
    for candidate in islice(candidates, _MOST_CANDIDATES):
        if len(candidate) <= _LONGEST:
            slips = _slips(meant, _folded(candidate), most=allowed)
            if slips <= allowed and slips < len(candidate):
                near.append((slips, candidate))
    return min(near)[1] if near else None


def _folded(word: str) -> str:
    return word.lower().translate(_SPELLING)


def _slips(one: str, other: str, *, most: int) -> int:
    """Count the slips between two words; past ``most`` any larger number will do.

    This is the optimal string alignment distance, Damerau's with no letter edited twice, in the
    band of the table that ``most`` slips can reach (Ukkonen 1985).
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    far = most + 1
    before: list[int] = []
    above = [min(j, far) for j in range(len(other) + 1)]
    least_above = 0
    for i, a in enumerate(one, start=1):
        row = [far] * (len(other) + 1)
        row[0] = min(i, far)
        for j in range(max(1, i - most), min(len(other), i + most) + 1):
            b = other[j - 1]
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row[j] = cost
        least = min(row)
        if least > most and least_above > most:  # a swap reaches two rows back
            return far
        before, above, least_above = above, row, least
    return above[-1]
