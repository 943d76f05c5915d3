"""How a list, a loop or a race ends badly: known before what it began has been cleaned up.

Cleaning up may take longer than a history. So a construct notes how it ends in its place before it
stops what still runs; a continued run finds the note, lets what was begun only clean up (a frame
that is ``closing``), and ends as it had decided to.
"""

from __future__ import annotations

import asyncio

from aima.workflows.failure import Returned, StepError, StepFailed
from aima.workflows.frame import Frame, Place

END = "end"
"""Where a place has how its construct ends."""


def note_end(place: Place, error: BaseException) -> None:
    """Remember a failure or a `return`; a cancel comes from outside and is remembered there."""
    if isinstance(error, StepFailed):
        place[END] = {"error": error.error.data()}
    elif isinstance(error, Returned):
        place[END] = {"returned": error.output}


def end_of(place: Place, frame: Frame) -> BaseException:
    """Give what a construct ends with that has cleaned up: what it has noted, or a cancel."""
    match None if frame.closing else place.get(END):
        case {"error": error}:
            return StepFailed(StepError.of(error))
        case {"returned": output}:
            return Returned(output)
    return asyncio.CancelledError()
