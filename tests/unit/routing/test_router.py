"""Which instance is asked, and who is asked next."""

import asyncio
import multiprocessing
from collections import Counter
from pathlib import Path

import pytest

from aima.errors import (
    AimaError,
    EngineNotRunning,
    ExecutionFailed,
    InsufficientResources,
    RateLimited,
    TimedOut,
    ValidationFailed,
    WrongAnswer,
)
from aima.ports.inference import ChatReply, ChatRequest, EmbedRequest, Pieces
from aima.routing.router import Router
from aima.routing.slots import FileSlots
from tests.unit.routing.instances import Clock, Loader, Talker, ask, router

DOWN = EngineNotRunning("down")


async def settle() -> None:
    """Let all tasks run until they wait."""
    for _ in range(20):
        await asyncio.sleep(0)


# --- choosing -------------------------------------------------------------------------------


async def test_requests_go_to_the_instance_with_the_least_to_do() -> None:
    """So that a slow one gets fewer, without anybody measuring it."""
    slow, fast = Talker("slow", gate=asyncio.Event()), Talker("fast")
    of = router(slow, fast)
    stuck = asyncio.create_task(ask(of))
    await settle()
    assert [await ask(of) for _ in range(5)] == ["fast"] * 5
    assert slow.gate is not None
    slow.gate.set()
    assert await stuck == "slow"


async def test_instances_with_as_little_to_do_take_turns() -> None:
    """Else all the work of quiet times is the first one's."""
    of = router(*(Talker(f"e{n}") for n in range(3)))
    assert [await ask(of) for _ in range(6)] == ["e0", "e1", "e2"] * 2


async def test_an_instance_that_rested_gets_no_more_than_its_turn() -> None:
    """It has not to make up for what others did meanwhile."""
    clock = Clock()
    tired = Talker("tired", fails=[RateLimited("busy", retry_after=9), None])
    of = router(tired, Talker("fresh"), clock=clock)
    assert [await ask(of) for _ in range(9)] == ["fresh"] * 9
    clock.now += 10
    assert Counter([await ask(of) for _ in range(8)]) == {"tired": 4, "fresh": 4}


async def test_a_session_stays_with_its_instance() -> None:
    """Its cache of the conversation is there; sessions spread over all."""
    of = router(*(Talker(f"e{n}") for n in range(4)))
    homes = {s: {await ask(of, session=s) for _ in range(5)} for s in map(str, range(40))}
    assert all(len(home) == 1 for home in homes.values())
    assert len({next(iter(home)) for home in homes.values()}) == 4


async def test_few_sessions_move_when_an_instance_goes() -> None:
    """Those of the one that went, and no others."""
    engines = [Talker(f"e{n}") for n in range(4)]
    before = {s: await ask(router(*engines), session=s) for s in map(str, range(60))}
    after = {s: await ask(router(*engines[:3]), session=s) for s in map(str, range(60))}
    moved = {s for s in before if before[s] != after[s]}
    assert moved == {s for s, home in before.items() if home == "e3"}


async def test_a_session_goes_elsewhere_while_its_instance_is_ill() -> None:
    """An answer without the cache is better than none."""
    one, two = Talker("one"), Talker("two")
    of = router(one, two)
    home = await ask(of, session="s")
    ill = one if home == "one" else two
    ill.fails = [DOWN]
    assert await ask(of, session="s") != home


async def test_what_no_instance_can_do_is_told_with_what_it_can() -> None:
    """A chat engine makes no vectors."""
    with pytest.raises(ValidationFailed, match="which serves 'm', cannot do this; it can: chat"):
        await router(Talker("one", type=None)).embed(EmbedRequest(model="m", input="x"))


# --- failing --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        DOWN,
        TimedOut("slow"),
        ExecutionFailed("500"),
        RateLimited("busy"),
        InsufficientResources(""),
    ],
    ids=lambda error: error.code,
)
async def test_another_instance_is_asked_before_the_first_piece(error: AimaError) -> None:
    """The caller never learns of it."""
    of = router(Talker("ill", fails=[error]), Talker("well"))
    assert await ask(of) == "well"


async def test_nobody_else_is_asked_once_the_answer_has_begun() -> None:
    """Two half answers are worse than an error."""
    well = Talker("well")
    of = router(Talker("ill", fails=[DOWN], after=1), well)
    shown: list[str | bytes] = []
    with pytest.raises(EngineNotRunning):
        await ask(of, shown=shown)
    assert (shown, well.calls) == (["piece"], 0)


@pytest.mark.parametrize("error", [ValidationFailed("no"), WrongAnswer("no JSON")])
async def test_what_is_wrong_with_the_request_is_wrong_everywhere(error: AimaError) -> None:
    """It is told at once, and says nothing of the instance."""
    well = Talker("well")
    of = router(Talker("picky", fails=[error]), well)
    for turn in range(10):
        with pytest.raises(type(error)):
            await ask(of)
        assert await ask(of) == "well", "both are well, and take turns"
        assert well.calls == turn + 1


async def test_a_failing_instance_rests_and_is_tried_again() -> None:
    """Five failures in a row open the breaker; one request at a time tries it, after a while."""
    clock = Clock()
    ill = Talker("ill", fails=[DOWN])
    of = router(ill, clock=clock)
    for _ in range(5):
        with pytest.raises(EngineNotRunning, match="down"):
            await ask(of)
    with pytest.raises(EngineNotRunning, match="too often and rests; it is tried again in 1 s"):
        await ask(of)
    assert ill.calls == 5
    clock.now += 1.1
    with pytest.raises(EngineNotRunning, match="down"):
        await ask(of)
    with pytest.raises(EngineNotRunning, match="in 2 s"):
        await ask(of)
    clock.now += 2.1
    ill.fails = [None]
    assert await ask(of) == "ill"
    assert of.instances["ill"].breaker.state == "closed"


async def test_only_one_request_tries_an_instance_that_has_rested() -> None:
    """A herd would push it down again."""
    clock = Clock()
    ill = Talker("ill", fails=[DOWN] * 5 + [None])
    of = router(ill, Talker("well"), clock=clock)
    for _ in range(5):
        await ask(of)
    clock.now += 1.1
    ill.gate = asyncio.Event()
    trials = [asyncio.create_task(ask(of)) for _ in range(10)]
    await settle()
    assert ill.at_once == 1
    ill.gate.set()
    assert Counter(await asyncio.gather(*trials)) == {"well": 9, "ill": 1}


async def test_a_request_that_is_given_up_says_nothing_of_the_instance() -> None:
    """Impatient callers must not open breakers."""
    engine = Talker("one", gate=asyncio.Event())
    of = router(engine)
    for _ in range(10):
        task = asyncio.create_task(ask(of))
        await settle()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert of.instances["one"].breaker.state == "closed"
    assert of.instances["one"].under_way == 0


async def given_up(of: Router, clock: Clock, seconds: float) -> None:
    """Ask, and lose patience after a while."""
    task = asyncio.create_task(ask(of, session="s"))
    await settle()
    clock.now += seconds
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_instance_that_hangs_is_left_out() -> None:
    """It ends no request itself; that steps end them, and nothing came meanwhile, must count."""
    clock = Clock()
    names = [(await ask(router(Talker("a"), Talker("b")), session="s"))]
    hung, well = Talker(names[0], gate=asyncio.Event()), Talker("b" if names == ["a"] else "a")
    of = router(hung, well, clock=clock)
    for _ in range(5):
        await given_up(of, clock, seconds=2)
    assert [await ask(of, session="s") for _ in range(20)] == [well.name] * 20
    assert hung.calls == 5
    clock.now += 1.1
    await given_up(of, clock, seconds=2)  # the trial of a half-open breaker hangs as well
    assert of.instances[hung.name].breaker.rests_for == pytest.approx(2)
    assert await ask(of, session="s") == well.name


async def test_a_slow_answer_that_is_given_up_says_nothing_while_others_are_served() -> None:
    """The instance lives: it has a long prompt, or somebody else's, before it."""
    clock = Clock()
    busy = Talker("busy", gate=asyncio.Event())
    of = router(busy, clock=clock)
    assert busy.gate is not None
    for _ in range(10):
        task = asyncio.create_task(ask(of))
        await settle()
        clock.now += 20
        of.instances["busy"].heard()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert of.instances["busy"].breaker.state == "closed"


async def test_an_answer_that_had_begun_says_nothing_when_it_is_given_up() -> None:
    """A listener that goes in the middle is no failure of the instance."""
    clock, began = Clock(), asyncio.Event()

    class Endless(Talker):
        async def chat(self, request: ChatRequest, *, pieces: Pieces) -> ChatReply:
            clock.now += 20  # until the first piece
            pieces("piece")
            began.set()
            return await super().chat(request, pieces=pieces)

    of = router(Endless("one", gate=asyncio.Event()), clock=clock)
    for _ in range(6):
        task = asyncio.create_task(ask(of))
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert of.instances["one"].breaker.state == "closed"


async def test_an_instance_that_says_when_to_come_back_is_left_alone_until_then() -> None:
    """`Retry-After` is a promise of rest, and no failure."""
    clock = Clock()
    busy = Talker("busy", fails=[RateLimited("busy", retry_after=7), None])
    of = router(busy, Talker("free"), clock=clock)
    assert [await ask(of) for _ in range(4)] == ["free"] * 4
    assert busy.calls == 1
    clock.now += 7.1
    assert {await ask(of, session=str(n)) for n in range(20)} == {"busy", "free"}


async def test_asking_again_stays_cheap_when_all_fail() -> None:
    """At most a fifth more calls than requests, once what was saved up is gone."""
    engines = [Talker(f"e{n}", fails=[RateLimited("busy", retry_after=0.001)]) for n in range(3)]
    clock = Clock()
    of = router(*engines, clock=clock)
    for _ in range(200):
        clock.now += 1
        with pytest.raises(RateLimited):
            await ask(of)
    assert sum(engine.calls for engine in engines) <= 200 * 1.2 + 10


# --- waiting --------------------------------------------------------------------------------


async def test_a_full_instance_lets_wait_in_line() -> None:
    """Never more at once than it bears, first come, first served, nobody lost."""
    engine = Talker("one")
    of = router(engine, one=3)
    order: list[int] = []

    async def numbered(number: int) -> None:
        await ask(of)
        order.append(number)

    await asyncio.gather(*(numbered(n) for n in range(50)))
    assert engine.most_at_once == 3
    assert order == sorted(order)


async def test_a_line_that_is_too_long_is_refused() -> None:
    """At once, with the way out and when to come back."""
    engine = Talker("one", gate=asyncio.Event())
    of = router(engine, most_waiting=2, one=1)
    tasks = [asyncio.create_task(ask(of)) for _ in range(3)]
    await settle()
    with pytest.raises(RateLimited, match="2 requests wait for model 'm'") as raised:
        await ask(of)
    assert raised.value.retry_after == 1
    assert engine.gate is not None
    engine.gate.set()
    assert await asyncio.gather(*tasks) == ["one"] * 3


async def test_one_who_gives_up_waiting_leaves_no_gap() -> None:
    """Its turn goes to the next."""
    engine = Talker("one", gate=asyncio.Event())
    of = router(engine, one=1)
    tasks = [asyncio.create_task(ask(of)) for _ in range(4)]
    await settle()
    tasks[1].cancel()
    assert engine.gate is not None
    engine.gate.set()
    assert await asyncio.gather(tasks[0], *tasks[2:]) == ["one"] * 3


async def test_places_are_shared_by_all_processes(tmp_path: Path) -> None:
    """And one that dies frees its own, without a word."""
    slots = FileSlots(tmp_path)
    ready = multiprocessing.get_context("spawn").Event()
    other = multiprocessing.get_context("spawn").Process(target=hold, args=(tmp_path, ready))
    other.start()
    assert await asyncio.to_thread(ready.wait, 60)
    mine = slots.take("gpu", 2)
    assert mine is not None
    assert slots.take("gpu", 2) is None
    assert slots.take("another", 2) is not None
    other.kill()
    other.join()
    assert slots.take("gpu", 2) is not None
    assert slots.take("gpu", 2) is None
    slots.free(mine)
    assert slots.take("gpu", 2) is not None


def hold(folder: Path, ready: "multiprocessing.synchronize.Event") -> None:
    """Take a place and keep it until killed."""
    FileSlots(folder).take("gpu", 2)
    ready.set()
    multiprocessing.Event().wait()


# --- loading --------------------------------------------------------------------------------


async def test_a_model_is_loaded_once_for_all_who_wait() -> None:
    """Their requests are held meanwhile, and none is lost."""
    engine = Loader("one")
    of = router(engine)
    tasks = [asyncio.create_task(ask(of)) for _ in range(20)]
    await settle()
    assert (engine.loads, engine.calls) == (1, 0)
    engine.loading.set()
    assert await asyncio.gather(*tasks) == ["one"] * 20
    assert (engine.loads, engine.calls) == (1, 20)


async def test_one_who_gives_up_does_not_stop_the_loading() -> None:
    """The next one wants it as well, and to load for long is no failure."""
    engine, clock = Loader("one"), Clock()
    of = router(engine, clock=clock)
    first, second = (asyncio.create_task(ask(of)) for _ in range(2))
    await settle()
    clock.now += 60
    first.cancel()
    engine.loading.set()
    assert await second == "one"
    assert engine.loads == 1
    assert of.instances["one"].breaker.failures == 0


async def test_where_there_is_no_room_another_instance_is_asked() -> None:
    """And the next request tries the load again."""
    full = Loader("full", load_error=InsufficientResources("no room"))
    full.loading.set()
    of = router(full, Talker("well"))
    assert await ask(of) == "well"
    full.load_error = None
    full.gate = None
    assert "full" in {await ask(of, session=str(n)) for n in range(20)}
