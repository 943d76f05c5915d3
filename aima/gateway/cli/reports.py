"""What the checker found, for programs: SARIF for code scanning, commands for GitHub's runners."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aima
from aima.dsl.diagnostic import CODES, Diagnostic, Severity
from aima.gateway.explain import link_of, page_of

SARIF_VERSION = "2.1.0"


def github(found: Iterable[Diagnostic]) -> str:
    """Give a line for each finding that a GitHub Actions runner turns into an annotation."""
    return "".join(f"{_annotation(one)}\n" for one in found)


def sarif(found: Sequence[Diagnostic]) -> dict[str, Any]:
    """Give one run of SARIF (OASIS, version 2.1.0) with a rule for each code that was found.

    A rule carries its whole page: ``helpUri`` would have to be absolute, and where these pages
    are served is not for AIMA to say; ``properties.page`` is their path in its repository.
    """
    codes = sorted({one.code for one in found})
    driver = {
        "name": "aima check",
        "semanticVersion": aima.__version__,
        "rules": [_rule(code) for code in codes],
    }
    results = [_result(one, codes.index(one.code)) for one in found]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"version": SARIF_VERSION, "runs": [run]}


def _rule(code: str) -> dict[str, Any]:
    return {
        "id": code,
        "shortDescription": {"text": CODES[code]},
        "help": {"text": f"aima explain {code}", "markdown": page_of(code)},
        "properties": {"page": link_of(code)},
    }


def _result(found: Diagnostic, rule: int) -> dict[str, Any]:
    region = {"startLine": found.line, "startColumn": found.column}
    if found.end_column is not None:
        region["endColumn"] = found.end_column
    place = {"artifactLocation": {"uri": _uri(found.file)}, "region": region}
    return {
        "ruleId": found.code,
        "ruleIndex": rule,
        "level": found.severity.value,
        "message": {"text": _sentence(found)},
        "locations": [{"physicalLocation": place}],
    }


def _uri(file: str) -> str:
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def _sentence(found: Diagnostic) -> str:
    return f"{found.message}; {found.hint}" if found.hint else found.message


def _annotation(found: Diagnostic) -> str:
    kind = "error" if found.severity is Severity.error else "warning"
    places = {"file": found.file, "line": found.line, "col": found.column}
    if found.end_column is not None:
        places["endColumn"] = found.end_column
    said = {**places, "title": f"{found.code} (aima explain {found.code})"}
    properties = ",".join(f"{key}={_property(str(value))}" for key, value in said.items())
    return f"::{kind} {properties}::{_data(_sentence(found))}"


def _data(text: str) -> str:
    """Escape what would end a command: it is one line, and ``%`` starts an escape."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
