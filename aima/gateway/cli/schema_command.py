"""``aima schema``: what editors complete and check workflows with."""

from __future__ import annotations

import json

import click


@click.command("schema")
@click.option("--test", "tests", is_flag=True, help="That of `NAME.test.yaml` files.")
@click.option("--unit", default="", metavar="NAME", help="That of one unit.")
def command(*, tests: bool, unit: str) -> None:
    """Print the JSON Schema of workflows, with the units of this project.

    \b
    aima schema > workflow.schema.json
    # yaml-language-server: $schema=workflow.schema.json
    """  # noqa: D301 - the mark for lines that click must not wrap is a backspace
    from aima.gateway.reference.unit_pages import schema
    from aima.gateway.reference.workflow_schema import workflow_schema
    from aima.gateway.units.installed import units_of
    from aima.settings import load_settings
    from aima.trial.cases import schema_of_tests
    from aima.workflows.constructs import language

    if tests and unit:
        raise click.UsageError("--test and --unit are two schemas; ask for one")
    if tests:
        told = schema_of_tests()
    else:
        catalog = units_of(load_settings())
        told = (
            schema(catalog.get(unit))
            if unit
            else workflow_schema(language(), catalog.units.values())
        )
    click.echo(json.dumps(told, indent=2, ensure_ascii=False))
