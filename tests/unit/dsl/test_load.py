from __future__ import annotations

import time

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aima.dsl.diagnostic import Diagnostic, Severity
from aima.dsl.load import DEFAULT_LIMITS, Limits, _load, load
from aima.dsl.node import Json, Mapping, Mark, Node, Scalar, Sequence, to_json
from aima.dsl.yaml_compose import PARSER, Parser

PARSERS = [pytest.param(PARSER, id="libyaml"), pytest.param(yaml.SafeLoader, id="pyyaml")]
YAML_SIGNS = "ab<:-{}[]#&*!|>'\"%@`\\ \t\n,?1.${}~=x0\r\u2028\x85é漢\x00\ufeff"


def value_of(text: str) -> Json:
    """Load a text that must be clean."""
    _, root, diagnostics = load(text, "w.yaml")
    assert diagnostics == []
    assert root is not None
    return to_json(root)


def told(data: bytes | str, limits: Limits = DEFAULT_LIMITS) -> list[tuple[str, int, int]]:
    """Load a text and give the code and place of all that is wrong with it."""
    _, _, diagnostics = load(data, "w.yaml", limits)
    assert all(d.file == "w.yaml" and d.severity is Severity.error for d in diagnostics)
    return [(d.code, d.line, d.column) for d in diagnostics]


def only(data: bytes | str) -> Diagnostic:
    """Load a text with exactly one thing wrong."""
    _, _, diagnostics = load(data, "w.yaml")
    (found,) = diagnostics
    return found


def scalar_at(root: Node | None, *path: str | int) -> Scalar:
    """Walk to a scalar."""
    node = root
    for part in path:
        if isinstance(part, int):
            assert isinstance(node, Sequence)
            node = node.items[part]
        else:
            assert isinstance(node, Mapping)
            node = node.get(part)
    assert isinstance(node, Scalar)
    return node


def all_scalars(node: Node) -> list[Scalar]:
    """Give every key and value."""
    if isinstance(node, Scalar):
        return [node]
    if isinstance(node, Sequence):
        return [scalar for item in node.items for scalar in all_scalars(item)]
    entries = node.entries.values()
    return [s for e in entries for s in (e.key, *all_scalars(e.value))]


def test_several_documents_are_refused_at_the_second() -> None:
    """Taking the first silently would drop the rest."""
    assert told("a: 1\n---\nb: 2\n") == [("yaml/several-documents", 2, 1)]
    assert value_of("%YAML 1.2\n---\na: 1\n...\n") == {"a": 1}


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "---\n", "---\n...\n", "\ufeff"])
def test_an_empty_file_is_an_error_with_a_start(text: str) -> None:
    """`null` is no workflow, and the message must not be about null."""
    found = only(text)
    assert (found.code, found.line, found.column) == ("yaml/empty", 1, 1)
    assert found.hint == "start with `name:`"


def test_bytes_that_are_not_utf8_are_told_at_their_place() -> None:
    """Guessing an encoding puts wrong letters into prompts."""
    found = only("a: é\r\nb: grün\n".encode("latin-1").replace(b"\xe9", b"e"))
    assert (found.code, found.line, found.column) == ("yaml/encoding", 2, 6)
    assert "0xFC" in found.message


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_named(encoding: str) -> None:
    """Windows editors still write it."""
    data = "a: 1\n".encode(encoding)
    found = only(data if encoding == "utf-16" else "\ufeffa: 1\n".encode(encoding))
    assert found.message == "the file is UTF-16, not UTF-8"


def test_a_byte_order_mark_at_the_start_is_ignored_and_elsewhere_refused() -> None:
    """It is invisible, and columns must be those the editor shows."""
    source, root, diagnostics = load(b"\xef\xbb\xbfa: b\n", "w.yaml")
    assert diagnostics == []
    assert source.line(1) == "a: b"
    assert scalar_at(root, "a").mark == Mark(1, 4)
    assert told("a: \ufeffb\n") == [("yaml/character", 1, 4)]


@pytest.mark.parametrize("char", ["\x00", "\x07", "\x1b", "\x7f", "\x9b", "\ud800", "\uffff"])
def test_control_characters_are_refused(char: str) -> None:
    """They hide from the reader, and terminals and databases act on them."""
    assert told(f"a: 1\nb: x{char}\n") == [("yaml/character", 2, 5)]


@pytest.mark.parametrize("char", ["\x85", "\u2028", "\u2029"])
def test_line_breaks_that_only_some_readers_see_are_refused(char: str) -> None:
    """A line is counted where the editor shows none: every place after it would be off."""
    assert "understand differently" in only(f"a: 'x{char}y'\n").message


def test_all_forbidden_characters_are_told_but_not_a_million_of_them() -> None:
    """A binary file should not print for minutes."""
    assert told("a: \x01\nb: \x02\n") == [("yaml/character", 1, 4), ("yaml/character", 2, 4)]
    assert len(told("\x00" * 1000)) == 20


def test_characters_written_as_escapes_are_fine() -> None:
    """That is the way out the message names."""
    assert value_of('a: "\\u001b\\u2028\\U0001F600\\x00"\n') == {"a": "\x1b\u2028😀\x00"}


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_line_breaks_of_every_system_read_the_same(line_break: str) -> None:
    """A checkout on Windows must compile to the same plan."""
    text = "a: |\n  x\n  y\nb: 'p\n\n  q'\nc: end\n".replace("\n", line_break)
    _, root, diagnostics = load(text.encode(), "w.yaml")
    assert diagnostics == []
    assert root is not None
    assert to_json(root) == {"a": "x\ny\n", "b": "p\nq", "c": "end"}
    assert scalar_at(root, "c").mark == Mark(7, 4)


def test_everything_wrong_is_told_in_one_pass_in_the_order_of_the_file() -> None:
    """Mending one mistake to see the next is what people hate about YAML."""
    text = "a: 99999999999999999999\n1: x\na: 2\nb: !no x\nc: .nan\nd: *gone\ne:\n  - <<: 1\n"
    assert told(text) == [
        ("yaml/bad-number", 1, 4),
        ("yaml/bad-key", 2, 1),
        ("yaml/duplicate-key", 3, 1),
        ("yaml/bad-tag", 4, 4),
        ("yaml/bad-number", 5, 4),
        ("yaml/unknown-alias", 6, 4),
        ("yaml/bad-merge", 8, 9),
    ]


def test_a_syntax_error_ends_the_reading_and_keeps_what_was_found_before() -> None:
    """What stands above the broken line is known, so it is said."""
    _, root, diagnostics = load("a: 1\na: 2\nb: @x\na: 3\n", "w.yaml")
    assert root is None
    assert [(d.code, d.line) for d in diagnostics] == [
        ("yaml/duplicate-key", 2),
        ("yaml/unquoted", 3),
    ]


def test_places_count_code_points_from_one() -> None:
    """Editors count so; UTF-16 units or bytes would put carets beside their place."""
    _, root, _ = load("'😀é漢': {b: 1, c: 2}\n", "w.yaml")
    assert scalar_at(root, "😀é漢", "c").mark == Mark(1, 18)
    assert scalar_at(root, "😀é漢", "c").end == Mark(1, 19)


def test_lines_outside_the_file_are_empty() -> None:
    """A place at the end of the file is one line past the last."""
    source, _, _ = load("a: 1\nb: 2", "w.yaml")
    assert [source.line(n) for n in (0, 1, 2, 3)] == ["", "a: 1", "b: 2", ""]


@pytest.mark.parametrize("parser", PARSERS)
@given(data=st.binary(max_size=200) | st.text(YAML_SIGNS, max_size=120))
@example(data='a: "\\ud800"\n')
@example(data='a: "\\UFFFFFFFF"\n')
@example(data='"\\U00110000"')
@settings(max_examples=300, deadline=5000)
def test_whatever_the_bytes_are_load_answers(parser: Parser, data: bytes | str) -> None:
    """A file from anywhere reaches the loader through REST: it must never raise or hang."""
    source, root, diagnostics = _load(data, "w.yaml", DEFAULT_LIMITS, parser=parser)
    assert root is not None or diagnostics
    lines = source.text.count("\n") + 1
    for found in diagnostics:
        assert 1 <= found.line <= lines + 1
        assert 1 <= found.column <= len(source.line(found.line)) + 1
    if root is not None and not diagnostics:
        for scalar in all_scalars(root):
            assert source.line(scalar.mark.line)[scalar.mark.column - 1 :].startswith(
                scalar.raw.split("\n")[0]
            )
            str(to_json(root)).encode()


@pytest.mark.parametrize(
    "unit", ["[\n- ", "a", "- ", "'", '"', "a: b: ", "{a: ", ": ", "*a ", "!a "]
)
@pytest.mark.parametrize("start", ["", "[", "a: 'x' ", "a: 1\n b: "])
def test_a_megabyte_of_anything_is_answered_fast(start: str, unit: str) -> None:
    """Explaining a syntax error must not cost more than finding it."""
    text = (start + unit * 1_000_000)[:999_999]
    started = time.process_time()
    load(text, "w.yaml")
    assert time.process_time() - started < 30


def test_ten_thousand_lines_load_well_below_a_second() -> None:
    """`aima check` promises 10 000 lines in a second; the figure is printed, for `-s`."""
    step = """\
  - id: step{0}
    type: inference.chat
    input: {{model: default, prompt: "${{steps.step{0}.text}}"}}
    depends_on: [step{0}]
    timeout: 30s
"""
    text = "name: big\nsteps:\n" + "".join(step.format(i) for i in range(2000))
    started = time.perf_counter()
    _, root, diagnostics = load(text, "w.yaml")
    took = time.perf_counter() - started
    print(f"loaded {text.count(chr(10))} lines in {took * 1000:.0f} ms")  # noqa: T201 - a figure to read, not to assert on a shared machine
    assert diagnostics == []
    assert isinstance(root, Mapping)
