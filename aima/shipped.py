"""What AIMA ships beside its code, such as workflows; in a checkout or an install."""

from __future__ import annotations

import os
from pathlib import Path

from aima.dsl.nearest import nearest
from aima.errors import NotFound

_INSTALLED = Path(__file__).parent / "_shipped"
_CHECKOUT = Path(__file__).parent.parent
_IN_CHECKOUT = {
    "diagnostics": Path("docs") / "diagnostics",
    "schemas": Path("dsl") / "schemas",
}
_SUFFIXES = (".yaml", ".yml")
_PASSED_OVER = "invalid"


def shipped(folder: str) -> Path:
    """Find a shipped folder: ``workflows``, ``schemas``, ``templates`` or ``diagnostics``."""
    installed = _INSTALLED / folder
    return installed if installed.is_dir() else _CHECKOUT / _IN_CHECKOUT.get(folder, Path(folder))


def workflow_folders(project: Path | None) -> list[Path]:
    """Name where workflows are looked for by name, in this order."""
    folders = [Path.cwd() / "workflows"]
    if project is not None:
        folders += [project / "workflows", project]
    return [*folders, shipped("workflows")]


def find_workflow(name: str, project: Path | None) -> Path:
    """Find a workflow by path or by name; a name may end in `.yaml`.

    Raises:
        NotFound: there is none; the message names the nearest.
    """
    path = Path(name)
    written_as_file = path.suffix in _SUFFIXES
    if path.is_file() and (written_as_file or "/" in name):
        return path
    if "/" in name:
        raise NotFound(f"there is no file {name!r}; give a workflow's path or its name")
    known = known_workflows(project)
    wanted = path.stem if written_as_file else name
    if wanted not in known:
        near = nearest(wanted, known)
        hint = f"did you mean {near!r}?" if near else f"there are {', '.join(known) or 'none'}"
        raise NotFound(f"there is no workflow {name!r}; {hint}")
    return known[wanted]


def workflows_in(folder: Path) -> list[Path]:
    """List the workflows of a folder; their tests are none."""
    files = [file for suffix in _SUFFIXES for file in folder.glob(f"*{suffix}")]
    return sorted(file for file in files if not file.stem.endswith(".test"))


def workflows_below(folder: Path) -> list[Path]:
    """List the workflows of a folder and of those inside it."""
    return [file for inner in folders_below(folder) for file in workflows_in(inner)]


def folders_below(folder: Path) -> list[Path]:
    """List a folder and those inside it, at any depth.

    Passed over are hidden ones, such as `.venv`, and those called `invalid`, whose files are
    wrong on purpose; either is looked into where it is the folder asked for.
    """
    found: list[Path] = []
    for here, names, _ in os.walk(folder):
        names[:] = sorted(n for n in names if not n.startswith(".") and n != _PASSED_OVER)
        found.append(Path(here))
    return found


def known_workflows(project: Path | None) -> dict[str, Path]:
    """Find the files of all workflows that have a name; of two the one in the nearer folder."""
    known: dict[str, Path] = {}
    for folder in reversed(workflow_folders(project)):
        known |= {file.stem: file for file in workflows_in(folder)}
    return known
