"""The ids that people may give their runs."""

from __future__ import annotations

import re


def run_id(text: str) -> str:
    """Accept an id of a run; none at all lets one be made up.

    Raises:
        ValueError: it is none.
    """
    if text and not re.fullmatch(r"[A-Za-z0-9][\w.:-]{0,199}", text):
        raise ValueError(
            f"{text[:40]!r} is no id of a run; write up to 200 letters, digits and `_.:-`, "
            "a letter or digit first"
        )
    return text
