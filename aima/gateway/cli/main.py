"""The command ``aima``: one module for each subcommand, imported when it is asked for."""

from __future__ import annotations

import importlib
import sys

import click

COMMANDS = (
    "run",
    "up",
    "down",
    "ps",
    "runs",
    "status",
    "logs",
    "cancel",
    "check",
    "exec",
    "units",
    "unit",
    "models",
    "engine",
    "worker",
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
    r"""Run AI on machines you own.

    Atomic units, put together in YAML workflows, made durable by Temporal.

    \b
    aima run voice-assistant --example     run a shipped workflow
    aima up                                keep everything running in the background
    """


def main() -> None:
    """Run the command line; an error becomes one line and an exit code."""
    from aima.gateway.cli.exits import INTERRUPTED, exit_code, tell

    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Exit as leave:
        sys.exit(leave.exit_code)
    except click.Abort:
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        tell(f"{error.strerror or error}" + (f": {error.filename}" if error.filename else ""))
        sys.exit(1)
    except Exception as error:
        from aima.errors import AimaError

        if not isinstance(error, AimaError):
            raise
        tell(error.message, code=error.code)
        sys.exit(exit_code(error.code, error.status))


if __name__ == "__main__":
    main()
