"""All configured engines as one: which of them serves a name."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import monotonic

from aima.errors import EngineNotRunning, ModelNotFound
from aima.ports.engine import Engine, ModelCard, ModelType, Voice
from aima.settings import Models

_FRESH_SECONDS = 5.0
"""How long a list of served models is believed before the engines are asked again."""


@dataclass
class EnginePool:
    """The engines, asked in the order of the configuration, the embedded one last."""

    engines: tuple[Engine, ...]
    names: Models
    _cards: list[ModelCard] = field(default_factory=list)
    _read_at: float = float("-inf")

    async def serving(self, model: str, model_type: ModelType) -> tuple[Engine, str]:
        """Find the engine that serves ``model`` and its name there."""
        card = self._find(model, model_type)
        if card is None or monotonic() - self._read_at > _FRESH_SECONDS:
            await self._read()
            card = self._find(model, model_type)
        if card is None:
            raise ModelNotFound(self._missing(model, model_type))
        engine = next(e for e in self.engines if e.name == card.engine)
        return engine, card.name

    async def models(self, model_type: ModelType | None = None) -> list[ModelCard]:
        """List what all engines serve."""
        await self._read()
        return [c for c in self._cards if model_type in (None, c.type)]

    async def voices(self) -> list[Voice]:
        """List the voices of all engines."""
        found = await asyncio.gather(*(engine.voices() for engine in self.engines))
        return [voice for voices in found for voice in voices]

    async def _read(self) -> None:
        """Ask every engine; one that is down hides nothing of the others."""
        answers = await asyncio.gather(
            *(engine.models() for engine in self.engines), return_exceptions=True
        )
        cards: list[ModelCard] = []
        failures: list[BaseException] = []
        for answer in answers:
            if isinstance(answer, BaseException):
                failures.append(answer)
            else:
                cards += answer
        unexpected = next((f for f in failures if not isinstance(f, EngineNotRunning)), None)
        if unexpected is not None:
            raise unexpected
        if failures and not cards:
            raise failures[0]
        self._cards, self._read_at = cards, monotonic()

    def _find(self, model: str, model_type: ModelType) -> ModelCard | None:
        """Look a name up: a served model first, then an alias, then `default`."""
        for card in self._cards:
            if card.name == model and card.type in (model_type, None):
                return card
        if model in self.names.aliases:
            return self._find(self.names.aliases[model], model_type)
        if model != "default":
            return None
        chosen = self.names.default.get(model_type)
        if chosen and chosen != "default":
            return self._find(chosen, model_type)
        # An engine that does not tell types (Ollama, vLLM) is taken to serve language models.
        told: tuple[ModelType | None, ...] = (
            (model_type, None) if model_type == "llm" else (model_type,)
        )
        return next((c for c in self._cards if c.type in told), None)

    def _missing(self, model: str, model_type: ModelType) -> str:
        known = sorted(c.name for c in self._cards if c.type in (model_type, None))
        if not known:
            return f"no engine serves a model of type {model_type!r}; `aima doctor` tells why"
        return (
            f"no engine serves the {model_type} model {model!r}; there are "
            f"{', '.join(map(repr, known))}, or 'default'"
        )
