"""Model files on the model hub, through the ``huggingface_hub`` library.

A machine without the hub must not wait for it: the first question is asked in a thread with a
deadline (a name resolver may block longer than any timeout of a library), and silence is
remembered for the life of the object.
"""

from __future__ import annotations

import errno
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from aima.models.manifest import HubSource, ModelFile
from aima.models.sources import Report, SourceFailed, begun, file_chunks

if TYPE_CHECKING:
    from huggingface_hub.file_download import HfFileMetadata
    from huggingface_hub.utils.tqdm import tqdm

PROBE_SECONDS = 2.5
FULL_DISK = {errno.ENOSPC, errno.EDQUOT}


class HuggingFace:
    """The hub that the library is configured for, or the one at ``endpoint``."""

    def __init__(self, *, endpoint: str | None = None) -> None:
        """Ask nothing yet."""
        self._endpoint = endpoint
        self._unreachable = ""

    def chunks(
        self, source: HubSource, file: ModelFile, *, work: Path, report: Report
    ) -> Iterator[bytes]:
        """Download a file, from where an interrupted pull has come to, and give its bytes.

        Raises:
            SourceFailed: the hub is out of reach, lacks the file, or holds another one.
        """
        told = self._metadata(source).size
        if told not in {None, file.bytes}:
            raise SourceFailed(f"the hub's file has {told} bytes, not {file.bytes}")
        part = begun(work, file)
        self._go_on(source, file, part, report)
        try:
            yield from file_chunks(part)
        finally:  # the store keeps what is right; nothing is to be gone on with
            part.unlink(missing_ok=True)

    def _go_on(self, source: HubSource, file: ModelFile, part: Path, report: Report) -> None:
        """Download what is missing of a file; a hub that gives no part of one gives all of it."""
        from httpx2 import HTTPError
        from huggingface_hub import get_token
        from huggingface_hub.file_download import http_get

        part.parent.mkdir(parents=True, exist_ok=True)
        token = get_token()  # of who has signed in there; it is sent to nobody else
        try:
            with part.open("ab") as stream:
                http_get(
                    self._url(source),
                    stream,
                    resume_size=stream.tell(),
                    headers={"authorization": f"Bearer {token}"} if token else None,
                    expected_size=file.bytes,
                    tqdm_class=_progress_class(report),
                )
        except (HTTPError, OSError) as error:
            if isinstance(error, OSError) and error.errno in FULL_DISK:
                raise
            if part.stat().st_size >= file.bytes:
                part.unlink()  # too much of something: it cannot become right
            raise SourceFailed(_first_line(error)) from error

    def _url(self, source: HubSource) -> str:
        from huggingface_hub import hf_hub_url

        return hf_hub_url(
            source.repo, source.filename, revision=source.revision, endpoint=self._endpoint
        )

    def _metadata(self, source: HubSource) -> HfFileMetadata:
        """Ask for a file's size, for at most ``PROBE_SECONDS``."""
        if self._unreachable:
            raise SourceFailed(self._unreachable)
        answers: queue.SimpleQueue[HfFileMetadata | SourceFailed] = queue.SimpleQueue()
        threading.Thread(target=lambda: answers.put(self._ask(source)), daemon=True).start()
        try:
            answer = answers.get(timeout=PROBE_SECONDS)
        except queue.Empty:
            self._unreachable = "the hub does not answer"
            raise SourceFailed(self._unreachable) from None
        if isinstance(answer, SourceFailed):
            raise answer
        return answer

    def _ask(self, source: HubSource) -> HfFileMetadata | SourceFailed:
        from httpx2 import HTTPError
        from huggingface_hub import get_hf_file_metadata
        from huggingface_hub.errors import HfHubHTTPError

        try:
            return get_hf_file_metadata(
                self._url(source), timeout=PROBE_SECONDS, endpoint=self._endpoint
            )
        except HfHubHTTPError as error:
            return SourceFailed(_first_line(error))
        except (HTTPError, OSError) as error:
            self._unreachable = f"the hub is out of reach ({_first_line(error)})"
            return SourceFailed(self._unreachable)


def _progress_class(report: Report) -> type[tqdm]:
    """Make the progress bar that the library wants draw nothing and report instead."""
    from huggingface_hub.utils.tqdm import tqdm

    class Reporting(tqdm):
        def __init__(self, *args: object, **kwargs: object) -> None:
            # The class has no types of its own.
            super().__init__(*args, **(kwargs | {"disable": True}))  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> None:
            self.n += n or 0
            report(int(self.n))

    return Reporting


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
