"""Reports for programs: SARIF and GitHub's commands."""

from __future__ import annotations

import json
from pathlib import Path

from jsonschema import Draft202012Validator

from aima.dsl.diagnostic import Diagnostic, Severity
from aima.dsl.document import MISSING_KEY, UNKNOWN_KEY
from aima.gateway.cli.reports import github, sarif

ERROR = Diagnostic(UNKNOWN_KEY, Severity.error, "no key `x`", "a b/w.yaml", 3, 5, 9, "write y")
WARNING = Diagnostic(MISSING_KEY, Severity.warning, "100%: a\nb, c", "w,1:2.yaml", 1, 1)

TEXT = {"type": "string", "minLength": 1}
MESSAGE = {"type": "object", "required": ["text"], "properties": {"text": TEXT, "markdown": TEXT}}
COUNT = {"type": "integer", "minimum": 1}
REGION = {
    "type": "object",
    "required": ["startLine"],
    "additionalProperties": False,
    "properties": dict.fromkeys(["startLine", "startColumn", "endLine", "endColumn"], COUNT),
}
PLACE = {
    "type": "object",
    "required": ["artifactLocation", "region"],
    "additionalProperties": False,
    "properties": {
        "artifactLocation": {
            "type": "object",
            "required": ["uri"],
            "properties": {
                "uri": {"type": "string", "pattern": "^[A-Za-z0-9._~:/%!$&'()*+,;=@-]+$"}
            },
        },
        "region": REGION,
    },
}
RESULT = {
    "type": "object",
    "required": ["ruleId", "ruleIndex", "level", "message", "locations"],
    "additionalProperties": False,
    "properties": {
        "ruleId": TEXT,
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": {"enum": ["none", "note", "warning", "error"]},
        "message": MESSAGE,
        "locations": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["physicalLocation"],
                "properties": {"physicalLocation": PLACE},
            },
        },
    },
}
RULE = {
    "type": "object",
    "required": ["id"],
    "additionalProperties": False,
    "properties": {
        "id": TEXT,
        "shortDescription": MESSAGE,
        "help": MESSAGE,
        "properties": {"type": "object"},
    },
}
DRIVER = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": TEXT,
        "semanticVersion": {"type": "string", "pattern": r"^\d+\.\d+\.\d+"},
        "rules": {"type": "array", "uniqueItems": True, "items": RULE},
    },
}
RUN = {
    "type": "object",
    "required": ["tool", "results"],
    "additionalProperties": False,
    "properties": {
        "tool": {"type": "object", "required": ["driver"], "properties": {"driver": DRIVER}},
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "results": {"type": "array", "items": RESULT},
    },
}
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {"version": {"const": "2.1.0"}, "runs": {"type": "array", "items": RUN}},
}
"""The part of SARIF 2.1.0 that is written here, in the words of the standard (§3.13 to §3.30)."""


def test_a_report_is_sarif_whatever_was_found() -> None:
    """Code scanning refuses a whole report for one wrong field."""
    for found in ([], [ERROR], [ERROR, WARNING, ERROR]):
        Draft202012Validator(SARIF).validate(json.loads(json.dumps(sarif(found))))


def test_each_result_names_its_rule_and_its_place() -> None:
    """The index is into the list of rules, columns are code points, the end is after the last."""
    [run] = sarif([ERROR, WARNING])["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[one["ruleIndex"]]["id"] for one in run["results"]] == [UNKNOWN_KEY, MISSING_KEY]
    [place] = run["results"][0]["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "a%20b/w.yaml"},
        "region": {"startLine": 3, "startColumn": 5, "endColumn": 9},
    }
    assert [one["level"] for one in run["results"]] == ["error", "warning"]
    assert run["results"][0]["message"]["text"] == "no key `x`; write y"


def test_a_rule_carries_its_page() -> None:
    """Whoever reads the report has no AIMA at hand; the path leads to the page in a checkout."""
    [rule] = sarif([ERROR])["runs"][0]["tool"]["driver"]["rules"]
    assert rule["help"]["markdown"].startswith(f"# {UNKNOWN_KEY}\n")
    assert (Path(__file__).parents[3] / rule["properties"]["page"]).is_file()


def test_a_file_elsewhere_is_a_file_uri() -> None:
    """A path that begins with `/` would be taken for one on a server."""
    far = Diagnostic(UNKNOWN_KEY, Severity.error, "x", "/tmp/ä.yaml", 1, 1)  # noqa: S108 - only a name
    [result] = sarif([far])["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "file:///tmp/%C3%A4.yaml"


def test_an_annotation_is_one_line_whatever_is_in_it() -> None:
    """A line break would end the command, a comma or colon in a name its property."""
    error, warning = github([ERROR, WARNING]).splitlines()
    title = "title=document/unknown-key (aima explain document/unknown-key)"
    place = "file=a b/w.yaml,line=3,col=5,endColumn=9"
    assert error == f"::error {place},{title}::no key `x`; write y"
    assert warning.startswith("::warning file=w%2C1%3A2.yaml,line=1,col=1,title=")
    assert warning.endswith("::100%25: a%0Ab, c")
    assert github([]) == ""
