"""Addresses of resources: what they hold, and what they never mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aima.resources.uri import BadAddress, Pattern, Template, Uri


@pytest.mark.parametrize(
    ("text", "domain", "path", "written"),
    [
        ("asms://engine/embedded", "engine", ("embedded",), "asms://engine/embedded"),
        ("asms://pipelines", "pipelines", (), "asms://pipelines"),
        ("ASMS://Engine/X", "engine", ("X",), "asms://engine/X"),
        ("asms://model/Qwen%2FQwen3-8B", "model", ("Qwen/Qwen3-8B",), None),
        ("asms://model/llama3.2:3b", "model", ("llama3.2:3b",), "asms://model/llama3.2%3A3b"),
        ("asms://device/gpu-0/metrics", "device", ("gpu-0", "metrics"), None),
        ("asms://model/%e6%a8%a1", "model", ("模",), "asms://model/%E6%A8%A1"),
    ],
)
def test_an_address_is_taken_apart_and_put_together(
    text: str, domain: str, path: tuple[str, ...], written: str | None
) -> None:
    """Ids of models hold `/` and `:`; encoded they are one part of the path."""
    assert Uri.parse(text) == Uri(domain, path)
    assert str(Uri.parse(text)) == (written or text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "asms:",
        "asms://",
        "asms:///x",
        "http://engine/x",
        "file:///etc/passwd",
        "asms://engine/..",
        "asms://engine/%2e%2e",
        "asms://engine/%2E%2E%2Fsecrets",
        "asms://engine/a%2F..%2Fb",
        "asms://engine/..%5Cx",
        "asms://engine/.",
        "asms://engine//x",
        "asms://engine/x/",
        "asms://engine/x?y=1",
        "asms://engine/x#y",
        "asms://user@engine/x",
        "asms://engine:80/x",
        "asms://engine/%00",
        "asms://engine/%0a",
        "asms://engine/%ff",
        "asms://engine/%zz",
        "asms://engine/a b",
        "asms://engine/模",
        "asms://../x",
        "asms://engine/" + "x" * 3000,
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """Nothing that could name another place gets as far as a domain."""
    with pytest.raises(BadAddress):
        Uri.parse(text)


@given(st.lists(st.text(min_size=1), max_size=3))
def test_whatever_an_identifier_holds_comes_back_or_is_refused(parts: list[str]) -> None:
    """No text turns into another one on its way through an address."""
    try:
        text = str(Uri("model", tuple(parts)))
    except UnicodeEncodeError:  # a lone surrogate is no text
        return
    try:
        found = Uri.parse(text)
    except BadAddress:
        return
    assert found.path == tuple(parts)


def test_a_template_matches_and_expands() -> None:
    """A variable is one part, whatever it holds."""
    template = Template.parse("asms://device/{id}/metrics")
    uri = template.expand({"id": "a/b:0"})
    assert uri == "asms://device/a%2Fb%3A0/metrics"
    assert template.variables == ("id",)
    assert template.match(Uri.parse(uri)) == {"id": "a/b:0"}
    for other in ("asms://device/x", "asms://device/x/health", "asms://engine/x/metrics"):
        assert template.match(Uri.parse(other)) is None


@pytest.mark.parametrize("text", ["asms://model/x{id}", "asms://{id}", "model/{Id}", "asms://a/{}"])
def test_what_is_no_template_is_refused(text: str) -> None:
    """Other forms of RFC 6570 would match more than one thing."""
    with pytest.raises(BadAddress):
        Template.parse(text)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("asms://device/*/metrics", None),
        ("asms://Engine/*", "asms://engine/*"),
        ("asms://model/%2A/*", None),
        ("asms://model/llama3.2:3b/*", "asms://model/llama3.2%3A3b/*"),
    ],
)
def test_a_star_stands_for_a_whole_part(text: str, written: str | None) -> None:
    """An identifier that is an asterisk is written `%2A`."""
    assert str(Pattern.parse(text)) == (written or text)


@pytest.mark.parametrize("text", ["asms://engine/%2A", "asms://engine/a*", "asms://engines"])
def test_what_has_no_star_is_no_pattern(text: str) -> None:
    """It is the address of one."""
    assert Pattern.parse(text) is None


@pytest.mark.parametrize("text", ["asms://*/x", "asms://engine/*/..", "engine/*"])
def test_a_pattern_is_an_address(text: str) -> None:
    """It names its domain and leads nowhere else."""
    with pytest.raises(BadAddress):
        Pattern.parse(text)
