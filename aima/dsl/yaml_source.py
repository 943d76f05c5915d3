"""The text of a file as the YAML reader may see it: UTF-8, plain line breaks, no controls."""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from aima.dsl.diagnostic import Findings, define
from aima.dsl.node import Mark

ENCODING = define("yaml/encoding", "The file is not UTF-8 text.")
CHARACTER = define("yaml/character", "A character that no YAML file may contain as it is.")
TOO_LARGE = define("yaml/too-large", "The file, or what its aliases expand to, is too large.")

# YAML 1.2 (5.1) forbids the controls, surrogates and non-characters. U+0085, U+2028 and U+2029
# are left out too: YAML 1.1 readers, which libyaml is, take them for line breaks, YAML 1.2
# readers and editors do not, so a file with one would mean different things to each.
_FORBIDDEN = re.compile(
    "[^\t\n -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_MOST_REPORTED = 20  # characters; a binary file has nothing else


@dataclass(frozen=True)
class Source:
    r"""A file's text, with line breaks as ``\n`` and without a byte order mark."""

    file: str
    text: str

    def line(self, number: int) -> str:
        """Give a line, counted from 1, without its break; empty where there is none."""
        return self._lines[number - 1] if 1 <= number <= len(self._lines) else ""

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")


def read(data: bytes | str, findings: Findings, *, most_bytes: int) -> Source:
    """Decode a file and tell what keeps it from being read as YAML.

    A file that is too large is not even decoded: its text is empty.
    """
    size = len(data) if isinstance(data, bytes) else len(data.encode("utf-8", "surrogatepass"))
    if size > most_bytes:
        message = f"the file has {size} bytes, and {most_bytes} are allowed"
        hint = "split the workflow with `workflow: ./part.yaml`, and keep data out of it"
        findings.error(TOO_LARGE, Mark(1, 1), message, hint)
        return Source(findings.file, "")
    text = _decode(data, findings) if isinstance(data, bytes) else data
    text = _normalised(text)
    if not findings.all:
        for found in islice(_FORBIDDEN.finditer(text), _MOST_REPORTED):
            _refuse(found[0], mark_of(text, found.start()), findings)
    return Source(findings.file, text)


def mark_of(text: str, index: int) -> Mark:
    """Give the place of a code point in a text with plain line breaks."""
    return Mark(text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index))


def _decode(data: bytes, findings: Findings) -> str:
    hint = "save it as UTF-8"
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        findings.error(ENCODING, Mark(1, 1), "the file is UTF-16, not UTF-8", hint)
        return ""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = _normalised(data[: error.start].decode())
        message = f"byte 0x{data[error.start]:02X} makes no sense here: the file is not UTF-8"
        findings.error(ENCODING, mark_of(before, len(before)), message, hint)
        return data.decode(errors="replace")


def _normalised(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _refuse(char: str, at: Mark, findings: Findings) -> None:
    code = f"U+{ord(char):04X}"
    if char in "\x85\u2028\u2029":
        message = f"{code} is an invisible line break that YAML readers understand differently"
    elif char == "\ufeff":
        message = f"a byte order mark ({code}) may only stand at the start of the file"
    else:
        message = f"the control character {code} cannot stand in a YAML file"
    hint = f'remove it, or write it as "\\u{ord(char):04x}" in double quotes'
    findings.error(CHARACTER, at, message, hint)
