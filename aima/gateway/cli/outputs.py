"""What a run returned: written to files, and printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from aima.errors import Conflict, Forbidden, NotFound, ValidationFailed
from aima.settings import Settings

_WIDTH = 12


def check_targets(pairs: tuple[str, ...]) -> dict[str, Path]:
    """Read ``key=file`` pairs and see, before any work is done, that the files can be written.

    Raises:
        NotFound: a file's folder does not exist.
        Conflict: a target is a folder.
        Forbidden: it may not be written.
    """
    import os

    from aima.gateway.cli.inputs import split_pair

    targets: dict[str, Path] = {}
    for pair in pairs:
        key, name = split_pair(pair)
        target = Path(name)
        if not target.absolute().parent.is_dir():
            raise NotFound(f"-o {pair}: there is no folder {str(target.parent)!r}; make it first")
        if target.is_dir():
            raise Conflict(f"-o {pair}: {name!r} is a folder; name a file")
        if not os.access(target if target.exists() else target.absolute().parent, os.W_OK):
            raise Forbidden(f"-o {pair}: {name!r} may not be written")
        targets[key] = target
    return targets


def write(output: Any, targets: dict[str, Path], settings: Settings) -> dict[str, Path]:  # noqa: ANN401 - any JSON
    """Write outputs to their files; text as it is, bytes from the store, the rest as JSON.

    Raises:
        ValidationFailed: the run returned nothing of that name.
    """
    from aima.ports.artifacts import Artifact
    from aima.stores import artifacts_of

    for key, target in targets.items():
        if not isinstance(output, dict) or key not in output:
            known = ", ".join(output) if isinstance(output, dict) else "no names"
            raise ValidationFailed(f"the run returned no {key!r}; it returned {known}")
        value = output[key]
        if is_artifact(value):
            artifacts_of(settings).copy_to(Artifact.model_validate(value), target)
        elif isinstance(value, str):
            target.write_text(value + "\n", encoding="utf-8")
        else:
            target.write_text(
                json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
            )
    return targets


def show(output: Any, written: dict[str, Path]) -> None:  # noqa: ANN401 - any JSON
    """Print an output for people, a line for each name."""
    if not isinstance(output, dict):
        click.echo(output if isinstance(output, str) else json.dumps(output, ensure_ascii=False))
        return
    for key, value in output.items():
        label = click.style(f"{key:<{_WIDTH}}", bold=True)
        click.echo(f"  {label} {_said(key, value, written)}")


def is_artifact(value: object) -> bool:
    """Tell whether a value is a reference to bytes."""
    return isinstance(value, dict) and set(value) == {"artifact", "media_type", "bytes"}


def _said(key: str, value: Any, written: dict[str, Path]) -> str:  # noqa: ANN401 - any JSON
    from aima.dsl.render import escaped

    if is_artifact(value):
        size = f"{value['media_type']}, {value['bytes'] / 1000:,.0f} KB"
        hint = f"keep it with -o {key}=FILE"
        return f"{written[key]} ({size})" if key in written else f"{size}; {hint}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "\n".join(escaped(line) for line in text.splitlines()) or '""'
