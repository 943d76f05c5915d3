"""The style sheet and the scripts of the page: read once, and kept by browsers for good."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from aima.errors import NotFound
from aima.gateway.access.permission import Permission
from aima.gateway.route import Way
from aima.shipped import shipped

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Assets:
    """Files that anybody may have: they tell nothing of this machine."""

    folder: Path

    @cached_property
    def _files(self) -> dict[str, bytes]:
        files = (file for file in self.folder.iterdir() if file.suffix in _TYPES)
        return {file.name: file.read_bytes() for file in files}

    @cached_property
    def version(self) -> str:
        """Name their content; a script asks for others beside it by a relative address."""
        parts = (name.encode() + data for name, data in sorted(self._files.items()))
        return hashlib.sha256(b"".join(parts)).hexdigest()[:12]

    def ways(self) -> list[Way]:
        """Give the address."""
        return [Way("GET", "/static/{version}/{file}", self.get, Permission.PUBLIC)]

    def address(self, name: str) -> str:
        """Tell where a file is."""
        return f"/static/{self.version}/{name}"

    async def get(self, request: Request) -> Response:
        """Give a file; under the name of its content it never changes.

        Raises:
            NotFound: there is none.
        """
        name = request.path_params["file"]
        data = self._files.get(name)
        if data is None:
            raise NotFound("the page has no such file")
        known = request.path_params["version"] == self.version
        headers = {
            "cache-control": _FOR_EVER if known else "no-cache",
            "x-content-type-options": "nosniff",
            "cross-origin-resource-policy": "same-origin",
        }
        return Response(data, headers=headers, media_type=_TYPES[Path(name).suffix])


def page_assets() -> Assets:
    """Give those that AIMA ships."""
    return Assets(shipped("templates") / "page" / "static")
