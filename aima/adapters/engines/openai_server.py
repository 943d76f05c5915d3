"""A server of the OpenAI-compatible HTTP API, and what it serves.

What such servers can do differs, so each ability is a class of its own in :mod:`.openai`.
"""

from __future__ import annotations

from dataclasses import dataclass

from aima.adapters.engines.openai_relay import OpenAIRelays
from aima.adapters.engines.openai_wire import ServedModels
from aima.ports.inference import ModelCard, ModelType


@dataclass(frozen=True)
class OpenAIServer(OpenAIRelays):
    """An engine behind an OpenAI-compatible address.

    Attributes:
        type: what its models are, where it does not tell; None leaves it open.
    """

    type: ModelType | None = None

    async def models(self) -> list[ModelCard]:
        """List what it serves."""
        listed = self._read(ServedModels, await self._get("models"))
        return [
            ModelCard(
                name=model.id,
                engine=self.name,
                type=model.type or self.type,
                **model.model_dump(exclude={"id", "type"}),
            )
            for model in listed.data
        ]
