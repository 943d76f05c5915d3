"""Writes what can be derived: JSON Schemas for editors and programs, reference pages for people.

``make reference`` runs it; a contract test compares the repository with what it would write.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import click
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

import aima.dsl
import aima.workflows
from aima.catalog import Catalog, discover
from aima.dsl.diagnostic import CODES
from aima.engines import kinds_of_engines
from aima.errors import AimaError, error_classes
from aima.gateway.cli.exits import exit_code
from aima.gateway.cli.main import cli
from aima.gateway.reference.api_page import api_page
from aima.gateway.reference.engine_page import engine_page
from aima.gateway.reference.language_pages import language_pages
from aima.gateway.reference.pages import table
from aima.gateway.reference.unit_pages import page, schema
from aima.gateway.reference.workflow_schema import workflow_schema
from aima.settings import Settings, variable
from aima.stack.door import unattended
from aima.testing.engines import Faults
from aima.trial.cases import schema_of_tests
from aima.workflows.constructs import language

SCHEMAS = Path("dsl/schemas")
PAGES = Path("docs/reference")


def main() -> None:
    """Write all derived files into the repository in the current folder."""
    write(Path(), discover())


def write(root: Path, catalog: Catalog) -> None:
    """Write all derived files below ``root``; remove those that nothing derives any more."""
    derived = files(catalog)
    for folder in (SCHEMAS, PAGES):
        for found in (root / folder).rglob("*"):
            if found.is_file() and found.relative_to(root) not in derived:
                found.unlink()
    for name, text in derived.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def files(catalog: Catalog) -> dict[Path, str]:
    """Give the text of every derived file, by its path in the repository."""
    units = list(catalog)
    pages: dict[str, Iterable[str]] = {
        "README": _index(),
        "units/README": _units(catalog),
        "settings": _settings(),
        "cli": _commands(),
        "api": api_page(_description(catalog)),
        "engines": engine_page(kinds_of_engines(), Faults.model_fields),
        "errors": _errors(),
        "diagnostics": _diagnostics(),
    }
    pages |= language_pages(language(), catalog)
    pages |= {f"units/{unit.name}": [page(unit)] for unit in units}
    schemas = {"workflow.schema": workflow_schema(language(), units)}
    schemas["test.schema"] = schema_of_tests()
    schemas |= {f"units/{unit.name}": schema(unit) for unit in units}
    return {
        PAGES / f"{name}.md": "\n".join(lines).rstrip() + "\n" for name, lines in pages.items()
    } | {
        SCHEMAS / f"{name}.json": json.dumps(told, indent=2, ensure_ascii=False) + "\n"
        for name, told in schemas.items()
    }


def _index() -> Iterator[str]:
    yield "# Reference\n\nWritten by `make reference` from the code; edit that instead.\n"
    yield "* [The workflow language](language/README.md): every key, with an example"
    yield "* [Expressions](language/expressions.md): what stands in `${…}`"
    yield "* [Units](units/README.md): what a step can run"
    yield "* [Command line](cli.md)"
    yield "* [HTTP API](api.md): every address, with what it needs, takes and fails with"
    yield "* [Settings](settings.md)"
    yield "* [Engines](engines.md): what each kind can do"
    yield "* [Errors](errors.md) of units, requests and commands"
    yield "* [Diagnostics](diagnostics.md) of `aima check`"


def _description(catalog: Catalog) -> dict[str, Any]:
    """Tell what a door with these units serves."""
    with TemporaryDirectory() as folder:
        return unattended(catalog, Path(folder)).description


def _units(catalog: Catalog) -> Iterator[str]:
    yield "# Units\n"
    rows = ((f"[`{u.name}`]({u.name}.md)", u.kind.value, u.summary) for u in catalog)
    yield from table(("unit", "kind", "what it does"), rows)


def _settings() -> Iterator[str]:
    yield "# Settings\n"
    yield "Strongest first: the environment variable, the project's `aima.toml`, the default."
    yield "`aima settings` prints what is in force.\n"
    head = ("setting", "variable", "default", "meaning")
    told = {name: field for name, field in Settings.model_fields.items() if not field.exclude}
    groups = {name: group for name, field in told.items() if (group := _group(field))}
    plain = ((name, field) for name, field in told.items() if name not in groups)
    yield from table(head, (_setting((name,), field) for name, field in plain))
    for name, group in groups.items():
        named = told[name].annotation is not group  # a table of such groups, by name
        about = (group.__doc__ or "").replace("``", "`")
        yield f"\n## {name}\n\n{about}"
        yield f"{told[name].description}\n" if named else ""
        path = (name, "NAME") if named else (name,)
        rows = (_setting((*path, key), field) for key, field in group.model_fields.items())
        yield from table(head, rows)


def _group(field: FieldInfo) -> type[BaseModel] | None:
    """Find the model behind a setting that is a group, or a table of groups."""
    candidates = (field.annotation, *get_args(field.annotation))
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)


def _setting(path: tuple[str, ...], field: FieldInfo) -> tuple[str, str, str, str]:
    name = variable(path) if "NAME" not in path else variable(path[:1])
    default = "required" if field.is_required() else _default(field.default)
    return f"`{'.'.join(path)}`", f"`{name}`", default, field.description or ""


def _default(value: object) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or value in ("", {}):
        return "none"
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)} = {json.dumps(meant)}" for key, meant in value.items())
        return f"`{{{', '.join(pairs)}}}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _commands() -> Iterator[str]:
    yield "# Command line\n"
    context = click.Context(cli, info_name="aima")
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if command is not None:
            yield from _command(command, click.Context(command, context, info_name=name))


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"## {context.command_path}\n\n```\n{context.command_path} {usage}\n```\n"
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        verbatim = paragraph.removeprefix("\b\n")
        yield f"```\n{verbatim}\n```\n" if verbatim != paragraph else f"{paragraph}\n"
    options = (option for option in command.params if isinstance(option, click.Option))
    records = (option.get_help_record(context) for option in options)
    rows = [(f"`{record[0]}`", record[1]) for record in records if record is not None]
    if rows:
        yield from table(("option", "meaning"), rows)
        yield ""
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _command(inner, click.Context(inner, context, info_name=name))


def _errors() -> Iterator[str]:
    yield "# Errors\n"
    yield "What a unit, a request or a command fails with. A retryable one is tried again by"
    yield "itself, as the step or the unit says.\n"
    head = ("code", "HTTP status", "exit code", "retryable", "meaning")
    yield from table(head, (_error(code, error) for code, error in _by_code().items()))


def _by_code() -> dict[str, type[AimaError]]:
    """Give the error of each code: the most general one where several share it."""
    found: dict[str, type[AimaError]] = {}
    for error in error_classes():
        found.setdefault(error.code, error)
    return found


def _error(code: str, error: type[AimaError]) -> tuple[str, ...]:
    exits = str(exit_code(code, error.status))
    meaning = (error.__doc__ or "").partition("\n")[0]
    return f"`{code}`", str(error.status), exits, "yes" if error.retryable else "no", meaning


def _diagnostics() -> Iterator[str]:
    yield "# Diagnostics\n\nWhat `aima check` and `aima run` tell about a workflow file;"
    yield "`aima explain CODE` shows the page of one."
    for package in (aima.dsl, aima.workflows):  # a module declares its codes when it is imported
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    for code, meaning in sorted(CODES.items()):
        yield f"\n## {code}\n\n{meaning} [With examples](../diagnostics/{code}.md)."
