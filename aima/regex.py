r"""Regular expressions of RE2: matching takes time in proportion to the text, whatever the pattern.

https://github.com/google/re2/wiki/Syntax. Nothing in them looks ahead or back; classes such as
``\\w`` are of ASCII.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # most commands need none
    import re2

_LONGEST_PATTERN = 1_000
_MEMORY = 1 << 20  # bytes; RE2 refuses a pattern whose program needs more


@lru_cache(maxsize=256)  # more than the patterns that one evaluation can pay for
def compiled(pattern: str) -> re2._Regexp | str:
    """Compile a pattern, or give the reason why it is none: that too is found only once."""
    import re2

    if len(pattern) > _LONGEST_PATTERN:
        return f"it may be {_LONGEST_PATTERN} characters long"
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        told = error.args[0]
        return told.decode(errors="replace") if isinstance(told, bytes) else "no Unicode text"
