"""What a run needs the outbox for: to publish an event, and to hear of those of others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from temporalio import activity

from aima.blocking import in_thread
from aima.errors import AimaError, ValidationFailed
from aima.store.events import CloudEvent
from aima.temporal.activity_context import Surroundings
from aima.temporal.converter import as_failure
from aima.temporal.events import belonging, event_id, source_of
from aima.temporal.origin import origin_here

EMIT = "aima.emit"
LISTEN = "aima.listen"

_Text = Annotated[str, Field(min_length=1)]


class Told(BaseModel):
    """An event that a step publishes."""

    model_config = ConfigDict(extra="forbid")

    type: _Text
    data: object
    subject: _Text | None = None


class Wanted(BaseModel):
    """What a step waits for: events of a type since the run's start."""

    model_config = ConfigDict(extra="forbid")

    step: _Text
    type: _Text
    since: AwareDatetime


def event_activities(around: Surroundings) -> list[Callable[..., Awaitable[dict[str, Any]]]]:
    """Make the activities of one worker."""
    activities = _EventActivities(around)
    return [activities.emit, activities.listen]


@dataclass(frozen=True)
class _EventActivities:
    around: Surroundings

    @activity.defn(name=EMIT)
    async def emit(self, given: dict[str, Any], call: dict[str, Any]) -> dict[str, Any]:
        """Publish an event and give its ``id``; another attempt publishes nothing new.

        Raises:
            ApplicationError: VALIDATION_ERROR where it is no event; the store's own codes.
        """
        info = activity.info()
        run = info.workflow_id or ""
        with _told():
            told = Told.model_validate(given)
            event = CloudEvent(
                id=event_id(call["effect"]),
                type=told.type,
                source=source_of(info.workflow_type or "", run),
                data=told.data,
                subject=told.subject,
                extensions=belonging(run, origin_here()),
            )
            await self.around.events.publish(event)
        self.around.log.write(run, {"step": info.activity_id, "event": event.type, "id": event.id})
        return {"id": event.id}

    @activity.defn(name=LISTEN)
    async def listen(self, given: dict[str, Any], _call: dict[str, Any]) -> dict[str, Any]:
        """Register the run's wait, and give the ``events`` that it must not miss.

        Later ones come as the signal ``aima.event``, and one that is in the answer may come so
        too when this attempt is made again.

        Raises:
            ApplicationError: VALIDATION_ERROR where nothing is waited for; the store's own codes.
        """
        with _told():
            wanted = Wanted.model_validate(given)
            wait = partial(self.around.events.outbox.wait, type=wanted.type, since=wanted.since)
            missed = await in_thread(wait, activity.info().workflow_id or "", wanted.step)
        return {"events": [event.to_json() for event in missed]}


@contextmanager
def _told() -> Iterator[None]:
    """Say what goes wrong with its code."""
    try:
        yield
    except AimaError as error:
        raise as_failure(error) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise as_failure(ValidationFailed(f"`{where}`: {first['msg']}")) from error
