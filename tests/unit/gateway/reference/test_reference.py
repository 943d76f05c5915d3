"""The reference pages, read as their readers do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aima.catalog import catalog_of, discover
from aima.errors import error_classes
from aima.gateway.cli.main import COMMANDS
from aima.gateway.reference.write import PAGES, files

TEXTS = files(discover())


def page(name: str) -> str:
    """Give the text of a page."""
    return TEXTS[PAGES / f"{name}.md"]


def section(name: str, heading: str) -> str:
    """Give what a page says under a heading of the second level."""
    found = re.search(
        rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", page(name), re.MULTILINE | re.DOTALL
    )
    assert found is not None, f"{name} has no section {heading!r}"
    return found[1]


def row(name: str, key: str) -> list[str]:
    """Give the cells of the table row that begins with a code word."""
    lines = [line for line in page(name).splitlines() if line.startswith(f"| `{key}`")]
    assert len(lines) == 1, lines
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", lines[0])[1:-1]]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_section(command: str) -> None:
    """What is not on the page is looked for in the code."""
    assert section("cli", f"aima {command}").startswith(f"\n```\naima {command}")


def test_a_command_inside_a_command_has_one_too() -> None:
    """`aima models pull` is as much a command as `aima models`."""
    assert "aima models pull [OPTIONS] NAME" in section("cli", "aima models pull")


def test_examples_of_a_command_keep_their_lines() -> None:
    """They are copied into terminals."""
    shown = section("cli", "aima run")
    assert re.search(
        r"^```\naima run voice-assistant --example.*\naima run .*\n```$", shown, re.MULTILINE
    )
    assert "\b" not in shown


def test_options_for_other_programs_are_not_told() -> None:
    """A hidden option may change without notice."""
    assert "--fd" not in section("cli", "aima engine serve")
    assert "--port" in section("cli", "aima engine serve")


def test_an_error_tells_what_every_caller_sees_of_it() -> None:
    """One row serves those who read codes, those who read HTTP, and those who read `$?`."""
    told = row("errors", "MODEL_NOT_FOUND")
    assert told == ["`MODEL_NOT_FOUND`", "404", "3", "no", "No engine serves a model of this name."]


def test_every_code_is_told_once() -> None:
    """Errors of one code are one condition to whoever reacts to it."""
    for code in {error.code for error in error_classes() if error.__module__ == "aima.errors"}:
        row("errors", code)


def test_diagnostics_have_headings_to_link_to() -> None:
    """The checker's output leads there; those of the constructs are among them."""
    headings = re.findall(r"(?m)^## (.+)$", page("diagnostics"))
    assert {"yaml/duplicate-key", "step/cycle", "value/bad-duration"} <= set(headings)
    assert headings == sorted(headings)


def test_a_setting_tells_name_variable_default_and_meaning() -> None:
    """Three ways to say it, and what it means."""
    told = row("settings", "temporal.port")
    assert told == [
        "`temporal.port`",
        "`AIMA_TEMPORAL_PORT`",
        "`7733`",
        "Port of the embedded server.",
    ]


def test_defaults_are_written_as_in_the_file() -> None:
    """What is read is copied into `aima.toml`: its spelling, not Python's."""
    assert row("settings", "project.activities")[2] == "`false`"
    assert row("settings", "temporal.address")[2] == "none"
    assert row("settings", "temporal.api_key")[2] == "none"
    assert row("settings", "models.aliases")[2].startswith('`{"')
    assert " = " in row("settings", "models.aliases")[2]


def test_a_table_of_settings_shows_what_is_in_each_entry() -> None:
    """`[engines.NAME]` is the setting people need first."""
    assert row("settings", "engines.NAME.url")[1:3] == ["`AIMA_ENGINES`", "required"]
    assert "[engines.ollama]" in section("settings", "engines")


def test_the_pages_follow_the_catalogue() -> None:
    """A catalogue of no units has no unit pages."""
    assert not [name for name in files(catalog_of()) if re.search(r"units/.*\.\w+\.", str(name))]
    assert PAGES / "units" / "inference.chat.md" in TEXTS
    assert Path("dsl/schemas/units/inference.chat.json") in TEXTS
