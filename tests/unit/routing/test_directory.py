"""All engines as one: which of them serves a name."""

import asyncio
from dataclasses import dataclass, field

import pytest

from aima.errors import AimaError, EngineNotRunning, ExecutionFailed, ModelNotFound, Unauthorized
from aima.ports.engine import Engine
from aima.ports.inference import ModelCard, ModelType, Voice
from aima.routing.directory import Directory
from aima.settings import Models
from aima.testing import ScriptedEngine

DOWN = EngineNotRunning("engine 'down' does not answer")


@dataclass
class Silent(ScriptedEngine):
    """An engine that fails whatever it is asked."""

    error: AimaError = DOWN

    async def models(self) -> list[ModelCard]:
        """Fail."""
        raise self.error

    async def voices(self) -> list[Voice]:
        """Fail."""
        raise self.error


def engine(name: str, **models: ModelType | None) -> ScriptedEngine:
    """Make an engine that serves these models."""
    cards = [ModelCard(name=model, engine=name, type=kind) for model, kind in models.items()]
    return ScriptedEngine(name=name, cards=cards, speakers=[Voice(name=f"{name}-v", model="m")])


ONE = engine("one", small="llm", ears="asr")
TWO = engine("two", big="llm", mouth="tts")
UNTYPED = engine("untyped", llama=None, embedder=None)


def among(*engines: Engine, aliases: dict[str, str] | None = None, **default: str) -> Directory:
    """Make a pool with these names."""
    return Directory(engines, Models(aliases=aliases or {}, default=default))


async def served(of: Directory, model: str, kind: ModelType = "llm") -> tuple[str, str]:
    """Tell the name of the engine that serves a model, and the model's name there."""
    card = (await of.serving(model, kind))[0]
    return card.engine, card.name


@pytest.mark.parametrize(
    ("model", "kind", "expected"),
    [
        ("big", "llm", ("two", "big")),
        ("default", "llm", ("one", "small")),
        ("default", "asr", ("one", "ears")),
        ("default", "tts", ("two", "mouth")),
    ],
)
async def test_default_is_the_first_model_of_its_type(
    model: str, kind: ModelType, expected: tuple[str, str]
) -> None:
    """In the order of the configuration; a name is served by whoever has it."""
    assert await served(among(ONE, TWO), model, kind) == expected


async def test_the_configuration_chooses_what_default_means() -> None:
    """For each type apart."""
    chosen = among(ONE, TWO, llm="big")
    assert await served(chosen, "default") == ("two", "big")
    assert await served(chosen, "default", "asr") == ("one", "ears")


async def test_an_engine_without_types_is_taken_to_serve_language_models() -> None:
    """Ollama and vLLM list names only; a name they have is believed for any type."""
    assert await served(among(UNTYPED), "default") == ("untyped", "llama")
    assert await served(among(UNTYPED), "embedder", "embedding") == ("untyped", "embedder")
    with pytest.raises(ModelNotFound):
        await served(among(UNTYPED), "default", "tts")


@pytest.mark.parametrize(
    ("model", "expected"),
    [("llama3.2", "small"), ("a", "big"), ("b", "big"), ("small", "small")],
)
async def test_aliases_are_followed_to_a_model(model: str, expected: str) -> None:
    """Over several steps, and through `default`."""
    aliases = {"llama3.2": "default", "a": "b", "b": "big", "small": "big"}
    assert (await served(among(ONE, TWO, aliases=aliases), model))[1] == expected


async def test_a_served_name_wins_over_an_alias() -> None:
    """An alias helps where there is nothing; it hides nothing."""
    assert await served(among(ONE, TWO, aliases={"big": "small"}), "big") == ("two", "big")


@pytest.mark.parametrize(
    ("aliases", "default", "model"),
    [
        ({"a": "b", "b": "a"}, {}, "a"),
        ({"a": "a"}, {}, "a"),
        ({"llama3.2": "default"}, {"llm": "llama3.2"}, "llama3.2"),
        ({"llama3.2": "default"}, {"llm": "llama3.2"}, "default"),
    ],
)
async def test_names_that_lead_in_a_circle_lead_nowhere(
    aliases: dict[str, str], default: dict[str, str], model: str
) -> None:
    """The default aliases and `default.llm = llama3.2` make such a circle."""
    with pytest.raises(ModelNotFound, match="there are 'small'"):
        await served(among(ONE, aliases=aliases, **default), model)


async def test_a_choice_that_nobody_serves_is_not_replaced_by_another() -> None:
    """Who configured a model wants that one, not the first at hand."""
    with pytest.raises(ModelNotFound):
        await served(among(ONE, llm="huge"), "default")


async def test_a_wrong_name_says_which_there_are() -> None:
    """Of that type, since the others would not help."""
    with pytest.raises(ModelNotFound) as raised:
        await served(among(ONE, TWO), "smal")
    assert raised.value.message == (
        "no engine serves the llm model 'smal'; there are 'big', 'small', or 'default'"
    )


async def test_where_there_is_no_model_of_a_type_the_way_out_is_the_doctor() -> None:
    """An empty list would look like a mistake of ours."""
    with pytest.raises(ModelNotFound, match="there is none: `aima doctor` tells why"):
        await served(among(ONE), "default", "tts")
    with pytest.raises(ModelNotFound):
        await served(among(), "default")


@pytest.mark.parametrize("error", [DOWN, Unauthorized("bad key"), ExecutionFailed("no JSON")])
async def test_a_silent_engine_hides_nothing_of_the_others(error: AimaError) -> None:
    """Whatever is wrong with it."""
    both = among(Silent(name="down", error=error), TWO)
    assert await served(both, "big") == ("two", "big")
    assert [card.name for card in await both.models()] == ["big", "mouth"]
    assert [card.name for card in await both.models("tts")] == ["mouth"]
    assert [voice.name for voice in await both.voices()] == ["two-v"]


async def test_what_a_silent_engine_might_serve_is_worth_another_attempt() -> None:
    """Its model is not missing: nobody knows. The reason is told, and what there is."""
    both = among(Silent(name="down"), TWO)
    with pytest.raises(EngineNotRunning) as raised:
        await served(both, "other")
    assert "there are 'big', or 'default'" in raised.value.message
    assert "engine 'down' does not answer" in raised.value.message


async def test_when_all_are_silent_the_first_reason_is_told() -> None:
    """As it is, with its own code."""
    nobody = among(Silent(name="down", error=Unauthorized("bad key")))
    for asked in (served(nobody, "x"), nobody.models(), nobody.voices()):
        with pytest.raises(Unauthorized, match="bad key"):
            await asked


async def test_an_engine_that_comes_back_is_found() -> None:
    """A name that is not found is looked for again at once."""
    engine_down = Silent(name="down")
    both = among(engine_down, TWO)
    with pytest.raises(EngineNotRunning):
        await served(both, "late")
    both.engines = (engine("down", late="llm"), TWO)
    assert await served(both, "late") == ("down", "late")


async def test_a_mistake_of_ours_is_not_taken_for_silence() -> None:
    """Only errors of the tree are; anything else must be seen."""

    @dataclass
    class Broken(ScriptedEngine):
        async def models(self) -> list[ModelCard]:
            raise KeyError("mistake")

    with pytest.raises(KeyError):
        await served(among(Broken(), TWO), "big")


@dataclass
class Counting(ScriptedEngine):
    """An engine that counts how often it is asked what it serves."""

    asked: int = 0

    async def models(self) -> list[ModelCard]:
        """Count, and take a moment."""
        self.asked += 1
        await asyncio.sleep(0)
        return list(self.cards)


async def test_engines_are_asked_once_for_all_who_want_to_know() -> None:
    """200 chats that find the list too old would otherwise send 200 requests to each engine."""
    counting = Counting(name="one", cards=ONE.cards)
    directory = among(counting)
    found = await asyncio.gather(*(served(directory, "small") for _ in range(200)))
    assert found == [("one", "small")] * 200
    assert counting.asked == 1


@dataclass
class Hanging(ScriptedEngine):
    """An engine that does not tell what it serves before it may."""

    may: asyncio.Event = field(default_factory=asyncio.Event)
    asked: int = 0

    async def models(self) -> list[ModelCard]:
        """Hang."""
        self.asked += 1
        await self.may.wait()
        return list(self.cards)


async def test_an_engine_that_hangs_holds_up_nobody_who_wants_another() -> None:
    """It is asked once and not again; what it serves is found when it tells."""
    hung = Hanging(name="hung", cards=TWO.cards)
    both = Directory((hung, ONE), Models(), patience=0.01, fresh=0)
    assert [await served(both, "small") for _ in range(5)] == [("one", "small")] * 5
    assert hung.asked == 1
    wanted = asyncio.create_task(served(both, "big"))
    await asyncio.wait((wanted,), timeout=0.05)
    assert not wanted.done(), "nobody else has it, and it may"
    hung.may.set()
    assert await wanted == ("two", "big")


async def test_what_an_engine_told_last_holds_while_it_hangs() -> None:
    """It may only be slow; whether it is ill is found out by asking it for work."""
    slow = Hanging(name="slow", cards=TWO.cards)
    both = Directory((slow, ONE), Models(), patience=0.01, fresh=0)
    slow.may.set()
    assert len(await both.models()) == 4
    slow.may.clear()
    assert await served(both, "big") == ("two", "big")
    assert [card.name for card in await both.models()] == ["big", "mouth", "small", "ears"]
    slow.cards = []
    slow.may.set()
    with pytest.raises(ModelNotFound):
        await served(both, "big")


async def test_an_engine_that_at_last_fails_to_tell_is_not_waited_for_again() -> None:
    """Its own timeout has passed once; the next who wants something unknown is told at once."""
    dead = Silent(name="dead")
    both = Directory((dead, ONE), Models(), patience=0.01, fresh=0)
    with pytest.raises(EngineNotRunning, match="one that might serve it is silent"):
        await served(both, "big")
    hung = Hanging(name="dead")
    both.engines = (hung, ONE)
    for _ in range(3):
        with pytest.raises(EngineNotRunning, match="silent"):
            await served(both, "big")
    assert hung.asked == 1
