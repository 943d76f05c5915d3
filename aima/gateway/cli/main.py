"""The command ``aima``: one module for each subcommand, imported when it is asked for."""

from __future__ import annotations

import importlib
import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from aima.errors import AimaError

COMMANDS = (
    "run",
    "demo",
    "up",
    "down",
    "ps",
    "open",
    "runs",
    "status",
    "watch",
    "get",
    "events",
    "logs",
    "cancel",
    "signal",
    "approve",
    "retry",
    "rerun",
    "check",
    "explain",
    "fmt",
    "new",
    "import",
    "test",
    "graph",
    "plan",
    "apply",
    "unapply",
    "applied",
    "exec",
    "units",
    "unit",
    "models",
    "key",
    "audit",
    "engine",
    "worker",
    "schema",
    "lsp",
    "mcp",
    "settings",
    "doctor",
)
"""The subcommands in the order of the help page; `exec` lives in ``exec_command.py``."""


class Commands(click.Group):
    """Finds a subcommand in the module of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name all subcommands."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"aima.gateway.cli.{cmd_name}_command")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand; for an unknown one name the nearest."""
        from aima.dsl.nearest import nearest

        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            near = nearest(args[0], COMMANDS)
            hint = f"Did you mean '{near}'?" if near else "`aima --help` lists them."
            ctx.fail(f"No such command '{args[0]}'. {hint}")
        return super().resolve_command(ctx, args)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="aima")
def cli() -> None:
    """Run AI on machines you own.

    Atomic units, put together in YAML workflows, made durable by Temporal.

    \b
    aima run voice-assistant --example     run a shipped workflow
    aima up                                keep everything running in the background
    eval "$(_AIMA_COMPLETE=bash_source aima)"   complete commands (or zsh_source, fish_source)
    """  # noqa: D301 - the mark for lines that click must not wrap is a backspace


def main() -> None:
    """Run the command line; an error becomes one line and an exit code."""
    from aima.errors import AimaError
    from aima.gateway.cli.exits import FAILED, INTERRUPTED, exit_code, tell

    if isinstance(sys.stdout, TextIOWrapper):  # no sign of an output may break the printing
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Exit as leave:
        sys.exit(leave.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _tell_interrupted()
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        _tell_usage(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(FAILED)
    except AimaError as error:
        _tell_error(error)
        sys.exit(exit_code(error.code, error.status))
    except OSError as error:
        name = f": {error.filename}" if error.filename else ""
        tell(f"{error.strerror or error}{name}", code="EXECUTION_FAILED")
        sys.exit(FAILED)


def _tell_error(error: AimaError) -> None:
    from aima.gateway.cli.diagnostics import show
    from aima.gateway.cli.exits import tell
    from aima.gateway.cli.stack_client import Refused
    from aima.gateway.cli.terminal import wants_json

    if not isinstance(error, Refused):
        tell(error.message, code=error.code)
        return
    if not wants_json():
        show(error.diagnostics)
    tell(error.message, code=error.code, diagnostics=error.diagnostics)


def _tell_usage(error: click.ClickException) -> None:
    from aima.gateway.cli.exits import tell
    from aima.gateway.cli.terminal import say, wants_json

    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return
    if isinstance(error, click.UsageError) and error.ctx and not wants_json():
        say(f"{error.ctx.get_usage()}\nTry '{error.ctx.command_path} --help' for help.\n")
    tell(error.format_message(), code="INVALID_REQUEST")


def _tell_interrupted() -> None:
    from aima.gateway.cli.exits import tell
    from aima.gateway.cli.terminal import wants_json

    if wants_json():
        tell("interrupted", code="CANCELLED")
