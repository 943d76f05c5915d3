"""Why a text is not YAML, in one sentence with a way out.

The parser says at which token it gave up; the cause is often a sign or a line earlier. Each rule
looks for one cause, the first that fits is told. Rules read the parser's words only where libyaml
and PyYAML's own parser share them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import yaml

from aima.dsl.diagnostic import Findings, define, named
from aima.dsl.node import Mark
from aima.dsl.yaml_compose import PARSER
from aima.dsl.yaml_scalar import BAD_ESCAPE
from aima.dsl.yaml_source import Source, mark_of

SYNTAX = define("yaml/syntax", "The file is not YAML.")
TAB = define("yaml/tab", "A tab stands where YAML allows only spaces.")
INDENTATION = define("yaml/indentation", "A line is indented like nothing it could belong to.")
MISSING_COLON = define("yaml/missing-colon", "A line among keys has no `:`.")
MISSING_SPACE = define("yaml/missing-space", "A key's `:` has no space after it.")
UNCLOSED_QUOTE = define("yaml/unclosed-quote", "A quote is opened and never closed.")
TEXT_AFTER_VALUE = define("yaml/text-after-value", "Something follows a value that has ended.")
UNQUOTED = define("yaml/unquoted", "Text has to be in quotes, or YAML takes its signs for its own.")
BRACKET = define("yaml/bracket", "A `[…]` or `{…}` is not closed, or its entries not separated.")

# Possessive quantifiers: a line may be a megabyte long, and no rule may go over it twice.
_ENTRY = r"^\s*+(?:- ++)*+"
_KEY = rf"{_ENTRY}[^\s:'\"{{}}\[\],&*!|>%@`#-][^\s:]*+"
_GLUED = re.compile(rf"({_KEY}):[^\s:/]")  # `name:x`, but not `http://…`
_KEY_AND_VALUE = re.compile(rf"{_ENTRY}(?:[^\s'\"{{\[][^:]*+|'[^']*+'|\"[^\"]*+\"):\s++(?=\S)")
_WAYS_OUT = {
    "'": "inside single quotes write '' for '",
    '"': 'inside double quotes write \\" for "',
}
_OUT_OF_RANGE = re.compile(r"\\U(?!000|0010)[0-9a-fA-F]{8}")


@dataclass(frozen=True)
class _Cause:
    code: str
    at: Mark
    message: str
    hint: str | None


@dataclass(frozen=True)
class _Failure:
    """Where the parser gave up, and where what it was reading had begun."""

    problem: str
    context: str
    at: Mark
    opened: Mark
    source: Source

    @property
    def line(self) -> str:
        return self.source.line(self.at.line)

    @property
    def before(self) -> str:
        """What stands before the place on its line."""
        return self.line[: self.at.column - 1]

    @property
    def after(self) -> str:
        """What stands at the place and after it."""
        return self.line[self.at.column - 1 :]

    @property
    def at_end(self) -> bool:
        """Whether the file ends here."""
        return not self.after and self.at.line > self.source.text.count("\n")

    def line_above(self) -> Mark | None:
        """Give the start of the nearest line above that says something."""
        for number in range(self.at.line - 1, 0, -1):
            text = self.source.line(number)
            if text.strip() and not text.lstrip().startswith("#"):
                return Mark(number, len(text) - len(text.lstrip()) + 1)
        return None


def explain(error: yaml.MarkedYAMLError, source: Source, findings: Findings) -> None:
    """Tell why the parser gave up."""
    at = _mark(error.problem_mark) or Mark(1, 1)
    opened = _mark(error.context_mark) or at
    failure = _Failure(error.problem or "", error.context or "", at, opened, source)
    for rule in _RULES:
        cause = rule(failure)
        if cause is not None:
            findings.error(cause.code, cause.at, cause.message, cause.hint)
            return
    findings.error(SYNTAX, at, f"this is not YAML: {failure.problem} {failure.context}".rstrip())


def explain_bad_escape(source: Source, findings: Findings) -> None:
    """Tell of the escape past U+10FFFF on which PyYAML's own parser fails without a mark."""
    found = _OUT_OF_RANGE.search(source.text)
    at = mark_of(source.text, found.start()) if found else Mark(1, 1)
    findings.error(BAD_ESCAPE, at, "an escape names a character that does not exist", None)


def _mark(mark: yaml.Mark | None) -> Mark | None:
    return None if mark is None else Mark(mark.line + 1, mark.column + 1)


def _tab(f: _Failure) -> _Cause | None:
    if "tab" not in f.problem.split() and not f.after.startswith("\t"):
        return None
    message = "a tab cannot be used for indentation"
    return _Cause(TAB, f.at, message, "replace it with spaces")


def _unclosed_quote(f: _Failure) -> _Cause | None:
    if "quoted scalar" not in f.context or "unexpected" not in f.problem:
        return None
    quote = f.source.line(f.opened.line)[f.opened.column - 1 :][:1]
    message = f"the quote `{quote}` that opens here is never closed"
    return _Cause(UNCLOSED_QUOTE, f.opened, message, f"close the text with `{quote}`")


def _bad_escape(f: _Failure) -> _Cause | None:
    if "quot" not in f.context or "scalar" not in f.context:
        return None
    column = f.line.rfind("\\", 0, f.at.column) + 1
    escape = f.line[column - 1 : column + 1]
    message = f"`{escape}` is no escape YAML knows"
    if escape in {"\\x", "\\u", "\\U"}:
        message = f"`{escape}` takes the hexadecimal number of a character that exists"
    hint = "write `\\\\` for a backslash, or use single quotes, where nothing is escaped"
    return _Cause(BAD_ESCAPE, Mark(f.at.line, column), message, hint)


def _reserved_start(f: _Failure) -> _Cause | None:
    """The value starts with a sign that YAML keeps for itself."""
    said = f"{f.context} {f.problem}".split()
    in_sign = any(word in said for word in ("anchor", "alias", "tag"))
    if f.line.startswith(("%YAML", "%TAG")):
        return None
    start = _value_start(f.line)
    sign = f.line[start - 1 : start]
    if not sign or start > f.at.column or sign not in ("%@`,?]}!&*" if in_sign else "%@`,?]}"):
        return None
    message = f"text without quotes cannot start with `{sign}`"
    return _Cause(UNQUOTED, Mark(f.at.line, start), message, "put the text in quotes")


def _block_header(f: _Failure) -> _Cause | None:
    if "block scalar" not in f.context:
        return None
    sign = f.source.line(f.opened.line)[f.opened.column - 1 :][:1]
    message = f"nothing may follow `{sign}`, which announces text on the next lines"
    hint = f"start the text on the next line, or put it in quotes if `{sign}` belongs to it"
    return _Cause(UNQUOTED, f.opened, message, hint)


def _expression_in_flow(f: _Failure) -> _Cause | None:
    if "flow" not in f.context or not (f.before.endswith("$") and f.after.startswith("{")):
        return None
    message = "inside `{…}` and `[…]` a `${…}` needs quotes"
    at = Mark(f.at.line, f.at.column - 1)
    return _Cause(UNQUOTED, at, message, 'write "${…}", or give each entry a line of its own')


def _open_bracket(f: _Failure) -> _Cause | None:
    opened = _innermost_open(f) if "flow" in f.context else None
    if opened is None:
        return None
    opening = f.source.line(opened.line)[opened.column - 1]
    closing = "]" if opening == "[" else "}"
    if f.at_end:
        message = f"the `{opening}` that opens here is never closed"
        return _Cause(BRACKET, opened, message, f"close it with `{closing}`")
    missing = f"`,` or `{closing}` is missing here"
    if "flow node" in f.context:  # there is one, and no value after it
        missing = f"a value or `{closing}` is missing here"
    message = f"{missing}: the `{opening}` of line {opened.line}, column {opened.column} is open"
    hint = f"separate entries with `,`, close with `{closing}`; put text with such signs in quotes"
    return _Cause(BRACKET, f.at, message, hint)


def _innermost_open(f: _Failure) -> Mark | None:
    """Find the last bracket before the place that is open there.

    The parser does not say it where a value is missing: it was reading that value then.
    """
    opened: list[Mark] = []
    for token in yaml.scan(f.source.text, Loader=PARSER):
        mark = Mark(token.start_mark.line + 1, token.start_mark.column + 1)
        if (mark.line, mark.column) >= (f.at.line, f.at.column):
            break
        if isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken):
            opened.append(mark)
        elif isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken):
            opened.pop()
    return opened[-1] if opened else None


def _glued_colon(f: _Failure) -> _Cause | None:
    """`name:x` is text, not a key; the parser notices one line later."""
    if not _expects_key(f):
        return None
    suspect = f.opened if f.opened != f.at else f.line_above()
    found = suspect and _GLUED.match(f.source.line(suspect.line))
    if not suspect or not found:
        return None
    at = Mark(suspect.line, found.end(1) + 1)
    hint = "write `key: value`, or put the whole in quotes if it is text"
    return _Cause(MISSING_SPACE, at, "a space is missing after `:`", hint)


def _second_colon(f: _Failure) -> _Cause | None:
    if "mapping values" not in f.problem or not _KEY_AND_VALUE.match(f.before):
        return None
    message = "a second `: ` on the line: YAML takes the text before it for another key"
    return _Cause(UNQUOTED, f.at, message, "put the whole value in quotes")


def _missing_colon(f: _Failure) -> _Cause | None:
    if not _expects_key(f):
        return None
    suspect = f.opened if f.opened != f.at else f.line_above()
    if suspect is None or suspect.line == f.at.line:
        return None
    text = f.source.line(suspect.line)
    if text.lstrip().startswith(("'", '"')):
        return None
    if _KEY_AND_VALUE.match(text) and f.opened == f.at:
        message = f"this line is indented as part of line {suspect.line}, which has a value already"
        at = Mark(f.at.line, len(f.line) - len(f.line.lstrip()) + 1)
        return _Cause(INDENTATION, at, message, "align it with the keys it belongs to")
    message = f"`:` is missing after {named(text[suspect.column - 1 :].rstrip())}"
    hint = "write `key: value`; indent the line if it goes on with the text above"
    return _Cause(MISSING_COLON, suspect, message, hint)


def _after_document(f: _Failure) -> _Cause | None:
    if "document start" not in f.problem:
        return None
    message = "the file's one value has ended above this line"
    hint = "a workflow is a map: each of its lines is `key: value` or indented below one"
    return _Cause(TEXT_AFTER_VALUE, f.at, message, hint)


def _after_value(f: _Failure) -> _Cause | None:
    if not _expects_entry(f) or not f.before.strip():
        return None
    last = f.before.rstrip()[-1]
    if last in "'\"" and f.before.count(last) % 2:
        hint = f"the `{last}` before it closes a text opened on a line above; close it there"
    else:
        hint = _WAYS_OUT.get(last, "put the whole value in quotes if it is text")
    message = "nothing more can stand on this line"
    if last in "'\"]}":
        message = f"text goes on after the closing `{last}`"
    return _Cause(TEXT_AFTER_VALUE, f.at, message, hint)


def _indentation(f: _Failure) -> _Cause | None:
    if not _expects_entry(f) or f.before.strip() or not f.after:
        return None
    if f.after.startswith(":"):
        return _Cause(SYNTAX, f.at, "the key before this `:` is missing", "write it")
    what = "a key of the map" if "mapping" in f.context else "a `- ` entry of the list"
    if f.at.column == f.opened.column:
        message = f"{what} that starts on line {f.opened.line} is expected here"
        return _Cause(INDENTATION, f.at, message, "indent the line if it belongs to the one above")
    message = "this line is indented like nothing above it"
    return _Cause(INDENTATION, f.at, message, "align it with the entries it belongs to")


def _list_on_key_line(f: _Failure) -> _Cause | None:
    if "sequence entries" not in f.problem:
        return None
    hint = "put each `- ` on a line of its own; use quotes if `- ` belongs to the text"
    return _Cause(SYNTAX, f.at, "a list cannot start on the line of its key", hint)


def _expects_key(f: _Failure) -> bool:
    return "mapping values" in f.problem or "expected ':'" in f.problem


def _expects_entry(f: _Failure) -> bool:
    return "block mapping" in f.context or "block collection" in f.context


def _value_start(line: str) -> int:
    """Give the column where a line's value starts, after its `- ` and its key."""
    found = _KEY_AND_VALUE.match(line) or re.match(_ENTRY, line)
    return (found.end() if found else 0) + 1


_RULES: tuple[Callable[[_Failure], _Cause | None], ...] = (
    _tab,
    _unclosed_quote,
    _bad_escape,
    _expression_in_flow,
    _open_bracket,
    _glued_colon,
    _second_colon,
    _missing_colon,
    _reserved_start,
    _block_header,
    _list_on_key_line,
    _after_document,
    _after_value,
    _indentation,
)
