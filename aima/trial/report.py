"""Telling how the cases went: lines for people, JUnit for machines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any
from xml.etree import ElementTree as ET

from aima.trial.runner import FileResult

_MOST_MISSED = 8


def lines_of(done: FileResult) -> Iterator[str]:
    """Give the lines for one file: its cases, and what they reached."""
    for case in done.results:
        mark = "FAILED" if case.wrong else "ok"
        yield f"{mark:<7}{done.file}:{case.line}  {case.name}  ({case.seconds * 1000:.0f} ms)"
        for wrong in case.wrong:
            for part in wrong.splitlines():
                yield f"         {part}"
    (ran, steps), (gone, ways) = done.coverage.steps, done.coverage.branches
    branches = f", {gone} of {ways} branches" if ways else ""
    yield f"       reached {ran} of {steps} steps{branches}"
    missed = done.coverage.missed()
    for what, line in missed[:_MOST_MISSED]:
        yield f"       never: {what} (line {line})"
    if len(missed) > _MOST_MISSED:
        yield f"       and {len(missed) - _MOST_MISSED} more"


def data_of(done: FileResult) -> dict[str, Any]:
    """Give the same as data."""
    steps, branches = done.coverage.steps, done.coverage.branches
    return {
        "file": str(done.file),
        "cases": [asdict(case) for case in done.results],
        "steps": {"reached": steps[0], "all": steps[1]},
        "branches": {"reached": branches[0], "all": branches[1]},
        "missed": [{"what": what, "line": line} for what, line in done.coverage.missed()],
    }


def junit(files: Iterable[FileResult]) -> str:
    """Give JUnit XML, as CI systems read it."""
    told_files = list(files)
    cases = [case for done in told_files for case in done.results]
    suites = ET.Element(
        "testsuites",
        tests=str(len(cases)),
        failures=str(sum(bool(case.wrong) for case in cases)),
        errors="0",
        time=f"{sum(case.seconds for case in cases):.3f}",
    )
    for done in told_files:
        failed = sum(bool(case.wrong) for case in done.results)
        suite = ET.SubElement(
            suites,
            "testsuite",
            name=str(done.file),
            tests=str(len(done.results)),
            failures=str(failed),
            errors="0",
            skipped="0",
            time=f"{sum(case.seconds for case in done.results):.3f}",
        )
        for case in done.results:
            told = ET.SubElement(
                suite,
                "testcase",
                name=_xml(case.name),
                classname=done.file.name,
                file=str(done.file),
                line=str(case.line),
                time=f"{case.seconds:.3f}",
            )
            if case.wrong:
                wrong = [_xml(text) for text in case.wrong]
                ET.SubElement(told, "failure", message=wrong[0]).text = "\n".join(wrong)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _xml(text: str) -> str:
    """Replace the characters that XML cannot carry, not even escaped."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
