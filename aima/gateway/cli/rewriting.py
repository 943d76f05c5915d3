"""Files that a command changes: written as their author has them, and whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_MARK = "\ufeff"


def like(original: str, text: str) -> str:
    r"""Give a text with ``\n`` the line breaks, and the byte order mark, of another."""
    if "\r\n" in original:
        text = text.replace("\n", "\r\n")
    return _MARK + text if original.startswith(_MARK) else text


def replace_text(file: Path, text: str) -> None:
    """Put a text in the place of a file's; after a crash it holds one or the other."""
    from aima.disk import told

    with told(file):
        target = file.resolve()
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as out:
                out.write(text.encode())
            shutil.copymode(target, name)
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
