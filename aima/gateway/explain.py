"""The page of each code: what it means, with a wrong and a right example.

The pages are files of their own under ``docs/diagnostics``, so that a check reads none of them.
"""

from __future__ import annotations

from aima.dsl.diagnostic import is_code
from aima.shipped import shipped

FOLDER = "docs/diagnostics"
"""Where they lie in the repository; reports link to them from there, without a host."""


def page_of(code: str) -> str:
    """Give the page of a code, as Markdown; empty where there is none."""
    file = shipped("diagnostics") / f"{code}.md"
    return file.read_text(encoding="utf-8") if is_code(code) and file.is_file() else ""


def link_of(code: str) -> str:
    """Give the path of its page in the repository."""
    return f"{FOLDER}/{code}.md"
