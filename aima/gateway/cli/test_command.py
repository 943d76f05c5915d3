"""``aima test``: run the tests of workflows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aima.gateway.cli.terminal import give_json

if TYPE_CHECKING:
    from aima.gateway.workflows.definitions import Definitions
    from aima.trial.runner import FileResult


@click.command("test")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("-k", "only", default="", metavar="WORDS", help="Only cases with this in their name.")
@click.option("--junit", type=click.Path(path_type=Path), help="Also write JUnit XML here.")
@click.option(
    "--fail-under",
    "--min-coverage",
    "min_coverage",
    type=click.IntRange(0, 100),
    default=0,
    metavar="PERCENT",
    help="Fail below this share of steps and branches reached.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    *, files: tuple[Path, ...], only: str, junit: Path | None, min_coverage: int, as_json: bool
) -> None:
    """Run workflows against stand-ins of their units, on a server that skips time.

    FILES are `NAME.test.yaml` files, workflows, or folders; without any, `workflows`, and where
    there is no such folder, this one.
    """
    import asyncio

    from aima.gateway.cli.exits import FAILED
    from aima.gateway.units.installed import units_of
    from aima.gateway.workflows.definitions import Definitions
    from aima.settings import load_settings
    from aima.trial import report
    from aima.trial.runner import leave

    settings = load_settings()
    definitions = Definitions(units_of(settings), settings.root)
    usual = Path("workflows")
    found = _test_files(files or (usual if usual.is_dir() else Path(),))
    done = asyncio.run(_run(found, definitions, only, told=not as_json))
    if as_json:
        give_json([report.data_of(one) for one in done])
    if junit is not None:
        junit.write_text(report.junit(done), encoding="utf-8")
    failed = any(case.wrong for one in done for case in one.results)
    thin = [one for one in done if _percent(one) < min_coverage]
    for one in thin:
        click.echo(f"{one.file}: reached {_percent(one):.0f} % of its steps and branches")
    leave(FAILED if failed or thin else 0)


async def _run(
    files: list[Path], definitions: Definitions, only: str, *, told: bool
) -> list[FileResult]:
    from aima.trial.report import lines_of
    from aima.trial.runner import run_files

    done = []
    async for one in run_files(files, definitions, only):
        done.append(one)
        for line in lines_of(one) if told else ():
            click.echo(line)
    return done


def _test_files(given: tuple[Path, ...]) -> list[Path]:
    """Find the test files that were named.

    Raises:
        NotFound: there is none.
    """
    from aima.errors import NotFound
    from aima.shipped import folders_below
    from aima.trial.cases import ENDING

    found: list[Path] = []
    for path in given:
        if path.is_dir():
            inside = (sorted(inner.glob(f"*{ENDING}")) for inner in folders_below(path))
            found += [file for files in inside for file in files]
        else:
            beside = path.with_name(path.stem + ENDING)
            found.append(path if path.name.endswith(ENDING) else beside)
    for file in found:
        if not file.is_file():
            raise NotFound(f"there is no {str(file)!r}; `aima new` writes one beside its workflow")
    if not found:
        raise NotFound(f"there is no {ENDING} file in {', '.join(map(str, given))}")
    return found


def _percent(done: FileResult) -> float:
    (ran, steps), (gone, ways) = done.coverage.steps, done.coverage.branches
    return 100 * (ran + gone) / max(steps + ways, 1)
