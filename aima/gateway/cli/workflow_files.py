"""Workflow files that a command was given: finding and reading them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def workflow_files(
    given: Iterable[Path], project: Path | None, *, below: bool = False
) -> list[Path]:
    """Find what was named: files, names of workflows, or folders of them.

    Args:
        given: what was named.
        project: the folder of the project, for names.
        below: whether folders inside a folder count too.

    Raises:
        NotFound: there is no such file or name, or nothing in a folder.
    """
    from aima.errors import NotFound
    from aima.shipped import find_workflow, workflows_below, workflows_in

    look = workflows_below if below else workflows_in
    files: list[Path] = []
    for path in given:
        inside = look(path) if path.is_dir() else None
        if inside == []:
            raise NotFound(f"there is no workflow, that is no .yaml file, in {str(path)!r}")
        files += inside or [find_workflow(str(path), project)]
    return files


def read_workflow(file: Path) -> str:
    """Read a workflow's text.

    Raises:
        Refused: it is no text.
        TooLarge: it is far over what a workflow may have.
    """
    from dataclasses import asdict

    from aima.disk import told
    from aima.dsl.load import load
    from aima.errors import TooLarge
    from aima.gateway import MOST_BODY_BYTES
    from aima.gateway.cli.stack_client import Refused

    with told(file):
        if file.stat().st_size > MOST_BODY_BYTES:
            raise TooLarge(f"{str(file)!r} is too large for a workflow; is it one?")
        data = file.read_bytes()
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        _, _, found = load(data, shown(file))
        raise Refused(f"{str(file)!r} is no text", [asdict(one) for one in found]) from error


def shown(file: Path) -> str:
    """Name a file as short as it can be."""
    try:
        return str(file.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(file)
