"""The interpreter: order, parallel steps, values, and what a run looks like in Temporal."""

import json
from contextlib import aclosing
from dataclasses import replace

import pytest
from temporalio.common import SearchAttributeKey

from aima.dsl.json import Json
from aima.temporal.attributes import LABELS, PLAN
from aima.temporal.runs import RunRequest
from tests.integration.lab import Lab

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def order_of_starts(lab: Lab, run_id: str) -> list[str]:
    """List the steps of a run in the order in which they were scheduled."""
    attributes = [e.activity_task_scheduled_event_attributes for e in await lab.scheduled(run_id)]
    return [a.activity_id for a in attributes]


async def test_a_step_that_reads_another_one_runs_after_it(lab: Lab) -> None:
    """Order is data: nobody should have to say it twice."""
    outcome = await lab.run("""
        name: reads
        steps:
          - {id: second, type: lab.echo, input: {name: second, got: "${steps.first.n + 1}"}}
          - {id: first, type: lab.echo, input: {name: first, n: 41}}
        output: {answer: "${steps.second.got}"}
    """)
    assert outcome.output == {"answer": 42}
    assert lab.board.calls == ["first", "second"]


async def test_depends_on_orders_steps_that_share_no_data(lab: Lab) -> None:
    """Some order is not in the data: a service is started before it is asked."""
    await lab.run("""
        name: depends
        steps:
          - {id: c, type: lab.echo, input: {name: c}, depends_on: [b]}
          - {id: b, type: lab.echo, input: {name: b}, depends_on: [a]}
          - {id: a, type: lab.echo, input: {name: a}}
    """)
    assert lab.board.calls == ["a", "b", "c"]


async def test_independent_steps_run_at_the_same_time(lab: Lab) -> None:
    """Three units that wait for each other end only if all three run at once."""
    outcome = await lab.run("""
        name: parallel
        steps:
          - {id: a, type: lab.meet, input: {name: a, parties: 3}}
          - {id: b, type: lab.meet, input: {name: b, parties: 3}}
          - {id: c, type: lab.meet, input: {name: c, parties: 3}}
    """)
    assert outcome.state == "completed"
    assert lab.board.peak == 3


async def test_ready_steps_start_in_the_order_of_the_document(lab: Lab) -> None:
    """A replay must start them in the same order, so it cannot be a set's."""
    names = [f"s{n}" for n in range(20, 0, -1)]
    steps = [{"id": name, "type": "lab.echo", "input": {"name": name}} for name in names]
    run_id = await lab.start(json.dumps({"name": "many", "steps": steps}))
    await lab.outcome(run_id)
    assert await order_of_starts(lab, run_id) == names


async def test_a_step_that_joins_two_waits_for_both(lab: Lab) -> None:
    """The first of two to finish must not start what needs the other."""
    run_id = await lab.start("""
        name: diamond
        steps:
          - {id: join, type: lab.echo, input: {name: join, of: ["${steps.l.name}", "${steps.r}"]}}
          - {id: l, type: lab.echo, input: {name: l, after: "${steps.top.name}"}}
          - {id: r, type: lab.echo, input: {name: r}, depends_on: [top]}
          - {id: top, type: lab.echo, input: {name: top}}
        output: ${steps.join.of}
    """)
    assert (await lab.outcome(run_id)).output == ["l", {"name": "r"}]
    assert await order_of_starts(lab, run_id) == ["top", "l", "r", "join"]


async def test_without_output_a_run_gives_each_steps_output_in_the_documents_order(
    lab: Lab,
) -> None:
    """Whoever prints the result should see the order of the file, not of the race."""
    outcome = await lab.run("""
        name: no-output
        steps:
          - {id: last, type: lab.echo, input: {name: last, after: "${steps.first.name}"}}
          - {id: first, type: lab.echo, input: {name: first}}
    """)
    assert outcome.output == {
        "last": {"name": "last", "after": "first"},
        "first": {"name": "first"},
    }
    assert isinstance(outcome.output, dict)
    assert list(outcome.output) == ["last", "first"]


async def test_a_whole_expression_keeps_its_type_and_one_inside_text_becomes_text(
    lab: Lab,
) -> None:
    """An artifact's reference must not become text, and a number in a prompt must."""
    given: dict[str, Json] = {
        "n": 7,
        "list": [1, None, True],
        "map": {"b": 1, "a": [2.0]},
        "text": "ä€",
    }
    outcome = await lab.run(
        """
        name: types
        steps:
          - id: whole
            type: lab.echo
            input: {n: "${input.n}", list: "${input.list}", map: "${input.map}"}
          - id: text
            type: lab.echo
            input:
              text: "n=${input.n} list=${input.list} map=${input.map} ${input.text} $${input.n}"
        """,
        given,
    )
    text = 'n=7 list=[1,null,true] map={"b":1,"a":[2]} ä€ ${input.n}'
    assert outcome.output == {
        "whole": {"n": 7, "list": [1, None, True], "map": {"b": 1, "a": [2.0]}},
        "text": {"text": text},
    }


async def test_config_is_the_files_with_the_runs_own_values_over_it(lab: Lab) -> None:
    """`--set` changes one value and leaves the others."""
    outcome = await lab.run(
        """
        name: configured
        config: {model: default, voice: en}
        steps:
          - {id: a, type: lab.echo, input: {said: "${config.model} ${config.voice}"}}
        output: ${steps.a.said}
        """,
        voice="de",
    )
    assert outcome.output == "default de"


async def test_a_run_knows_its_own_name_and_id(lab: Lab) -> None:
    """A step may name its run to the outside."""
    run_id = await lab.start("""
        name: self-aware
        steps:
          - {id: a, type: lab.echo, input: {run: "${run}"}}
        output: ${steps.a.run}
    """)
    output = (await lab.outcome(run_id)).output
    assert isinstance(output, dict)
    assert output["id"] == run_id
    assert output["name"] == "self-aware"
    assert output["attempt"] == 1


async def test_data_are_never_evaluated(lab: Lab) -> None:
    """What a user or a model says may look like an expression; it stays what it is."""
    evil: dict[str, Json] = {
        "text": "${config.secret}",
        "$": {"source": "1", "ast": ["const", 0, 1, 1]},
    }
    outcome = await lab.run(
        """
        name: inert
        config: {secret: hidden}
        steps:
          - {id: a, type: lab.echo, input: {got: "${input}", hidden: "${config.secret}"}}
          - {id: b, type: lab.echo, input: {got: "${steps.a.got}", text: "> ${input.text}"}}
        output: ${steps.b}
        """,
        evil,
    )
    assert outcome.output == {"got": evil, "text": "> ${config.secret}"}


async def test_input_null_is_there_and_has_no_fields(lab: Lab) -> None:
    """A run may be started without input; reading a field of it is an error with its place."""
    text = """
        name: nothing-given
        steps:
          - {id: a, type: lab.echo, input: {got: "${input}"}}
    """
    run_id = await lab.runs.start(lab.plan(text), RunRequest(None))
    assert (await lab.outcome(run_id)).state == "completed"


async def test_a_run_shows_in_temporal_under_names_that_people_know(lab: Lab) -> None:
    """Who looks into Temporal should find the workflow and its units, not an interpreter."""
    run_id = await lab.start("""
        name: voice-assistant
        version: 1.2.3
        labels: {team: home, tier: "2"}
        steps:
          - {id: transcribe, type: lab.echo, input: {name: heard}}
          - {id: chat, type: lab.fail, input: {name: said, times: 0, after: "${steps.transcribe}"}}
    """)
    await lab.outcome(run_id)
    description = await lab.handle(run_id).describe()
    assert description.workflow_type == "voice-assistant"
    scheduled = await lab.scheduled(run_id)
    attributes = [e.activity_task_scheduled_event_attributes for e in scheduled]
    assert [(a.activity_id, a.activity_type.name) for a in attributes] == [
        ("transcribe", "lab.echo"),
        ("chat", "lab.fail"),
    ]
    assert [json.loads(e.user_metadata.summary.data) for e in scheduled] == ["transcribe", "chat"]
    searchable = description.typed_search_attributes
    memo = await description.memo()
    assert searchable[SearchAttributeKey.for_keyword(PLAN)] == memo["plan"]
    assert searchable[SearchAttributeKey.for_keyword_list(LABELS)] == ["team=home", "tier=2"]
    assert memo["version"] == "1.2.3"


async def test_current_details_are_a_table_of_the_steps(lab: Lab) -> None:
    """Temporal's page of a run shows how far it is."""
    run_id = await lab.start("""
        name: shown
        steps:
          - {id: quick, type: lab.echo, input: {name: quick}}
          - {id: wait, type: lab.hang, input: {name: wait, after: "${steps.quick.name}"}}
          - {id: later, type: lab.echo, input: {name: later, after: "${steps.wait.name}"}}
    """)
    await lab.board.until_seen("wait")
    metadata = await lab.handle(run_id).query("__temporal_workflow_metadata")
    lab.board.gates["wait"].set()
    assert (await lab.outcome(run_id)).state == "completed"
    assert "| ✓ done\u2003| quick\u2003| lab.echo\u2003|" in metadata.current_details
    assert "| ▶ running\u2003| wait\u2003| lab.hang\u2003|" in metadata.current_details
    assert "| · waiting\u2003| later\u2003| lab.echo\u2003|" in metadata.current_details


async def test_current_details_of_a_long_workflow_are_counts(lab: Lab) -> None:
    """Nobody reads a table of a thousand rows."""
    steps = [{"id": f"s{n}", "type": "lab.echo", "input": {}} for n in range(45)]
    steps.append({"id": "last", "type": "lab.hang", "input": {"name": "last"}})
    run_id = await lab.start(json.dumps({"name": "long", "steps": steps}))
    await lab.board.until_seen("last")
    async with aclosing(lab.runs.watch(run_id)) as changes:
        done = 0
        async for change in changes:
            done += change.state == "done"
            if done == 45:
                break
    metadata = await lab.handle(run_id).query("__temporal_workflow_metadata")
    lab.board.gates["last"].set()
    await lab.outcome(run_id)
    assert "▶ 1 running, ✓ 45 done" in str(metadata)


async def test_runs_that_leave_memory_go_on_where_they_were(idle: Lab) -> None:
    """A worker keeps a bounded number of runs; the others are replayed from their histories."""
    worker = idle.settings.worker.model_copy(update={"cached_runs": 1})
    small = replace(idle, settings=idle.settings.model_copy(update={"worker": worker}))
    async with small.worker():
        names = [f"r{n}" for n in range(4)]
        ids = [
            await small.start(f"""
                name: forgotten
                steps:
                  - {{id: a, type: lab.echo, input: {{name: {name}}}}}
                  - {{id: b, type: lab.hang, input: {{name: {name}, after: "${{steps.a}}"}}}}
                  - {{id: c, type: lab.echo, input: {{said: "${{steps.b.name}}"}}}}
                output: ${{steps.c.said}}
            """)
            for name in names
        ]
        await small.board.until_seen(*names)
        for name in names:
            small.board.gates[name].set()
        outcomes = [await small.outcome(run_id) for run_id in ids]
    assert [outcome.output for outcome in outcomes] == names
