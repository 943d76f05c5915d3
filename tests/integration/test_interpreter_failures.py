"""How steps fail: retries, timeouts, deadlines, heartbeats, and what a failure says."""

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import RetryPolicy

from aima.errors import is_retryable
from tests.integration.lab import Lab

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def policy_of(lab: Lab, retry: str) -> RetryPolicy:
    """Run a step with ``retry`` and give the policy that Temporal was told."""
    run_id = await lab.start(f"""
        name: policy
        config: {{attempts: 4, pause: 2s}}
        steps:
          - {{id: a, type: lab.echo, input: {{name: a}}, {retry}}}
    """)
    assert (await lab.outcome(run_id)).state == "completed"
    [event] = await lab.scheduled(run_id)
    return event.activity_task_scheduled_event_attributes.retry_policy


def seconds(duration: Duration) -> float:
    """Give a duration in seconds."""
    return duration.ToTimedelta().total_seconds()


async def test_without_a_word_the_units_own_policy_applies(lab: Lab) -> None:
    """The author of a unit knows best how it fails; `lab.echo` says 3 attempts, 1 ms."""
    policy = await policy_of(lab, "")
    assert policy.maximum_attempts == 3
    assert seconds(policy.initial_interval) == 0.001
    assert policy.backoff_coefficient == 2
    assert seconds(policy.maximum_interval) == 60


async def test_the_authors_words_stand_over_the_units(lab: Lab) -> None:
    """What is said counts, what is not stays the unit's."""
    policy = await policy_of(lab, "retry: {max_attempts: 7, delay: 1500ms, backoff: 3}")
    assert policy.maximum_attempts == 7
    assert seconds(policy.initial_interval) == 1.5
    assert policy.backoff_coefficient == 3
    assert seconds(policy.maximum_interval) == 60


async def test_delay_seconds_is_a_delay_that_does_not_grow(lab: Lab) -> None:
    """The earlier system waited the same time before each attempt."""
    policy = await policy_of(lab, "retry: {max_attempts: 2, delay_seconds: 5}")
    assert seconds(policy.initial_interval) == 5
    assert policy.backoff_coefficient == 1


async def test_expressions_give_counts_and_durations(lab: Lab) -> None:
    """How patient a workflow is may be configured."""
    policy = await policy_of(
        lab, 'retry: {max_attempts: "${config.attempts}", delay: "${config.pause}"}'
    )
    assert policy.maximum_attempts == 4
    assert seconds(policy.initial_interval) == 2


@pytest.mark.parametrize(
    ("retry", "first", "longest"),
    [("retry: {delay: 5m}", 300, 300), ("retry: {delay: 0s}", 0.001, 60)],
    ids=["longer than the unit's longest", "none at all"],
)
async def test_a_delay_at_the_edge_is_a_policy_that_temporal_takes(
    lab: Lab, retry: str, first: float, longest: float
) -> None:
    """Temporal refuses the one and takes the other for a second; refused, the run would hang."""
    policy = await policy_of(lab, retry)
    assert seconds(policy.initial_interval) == first
    assert seconds(policy.maximum_interval) == longest


@pytest.mark.parametrize(
    ("words", "value", "told"),
    [
        ("retry: {max_attempts: '${input.it}'}", 0, "`retry.max_attempts`: 0 is no whole number"),
        ("retry: {max_attempts: '${input.it}'}", 2**40, "is no whole number of at least 1"),
        ("retry: {max_attempts: '${input.it}'}", True, "True is no whole number"),
        ("retry: {backoff: '${input.it}'}", 0.5, "`retry.backoff`: 0.5 is no number of at least 1"),
        ("retry: {backoff: '${input.it}'}", "two", "'two' is no number"),
        ("retry: {delay: '${input.it}'}", "soon", "`retry.delay`: 'soon' is no duration"),
        ("retry: {delay: '${input.it}'}", -1, "'-1' is no duration"),
        ("retry: {max_delay: '${input.it}'}", 1e300, "longer than ten years"),
        ("retry: {non_retryable: '${input.it}'}", "TIMEOUT", "no list of error codes"),
        ("timeout: '${input.it}'", 0, "`timeout`: a bound of no time"),
        ("deadline: '${input.it}'", None, "`deadline`: 'None' is no duration"),
        ("heartbeat: '${input.it}'", [], "`heartbeat`: '[]' is no duration"),
    ],
)
async def test_a_computed_policy_that_is_none_fails_its_step(
    lab: Lab, words: str, value: object, told: str
) -> None:
    """Handed to Temporal as it is, it would fail the workflow task again and again."""
    outcome = await lab.run(
        f"""
        name: bad-policy
        steps:
          - {{id: a, type: lab.echo, input: {{name: a}}, {words}}}
        """,
        {"it": value},  # type: ignore[dict-item] # any JSON
    )
    assert outcome.state == "failed"
    assert outcome.error is not None
    assert outcome.error["code"] == "VALIDATION_ERROR"
    assert told in str(outcome.error["message"])
    assert outcome.error["line"] == 4
    assert lab.board.calls == []


async def test_a_failure_that_may_pass_is_tried_again(lab: Lab) -> None:
    """Two failed attempts and a good one make a good step."""
    outcome = await lab.run("""
        name: third-time
        steps:
          - {id: a, type: lab.fail, input: {name: a, times: 2}}
    """)
    assert outcome.output == {"a": {"name": "a"}}
    assert lab.board.attempts["a"] == 3


@pytest.mark.parametrize(
    ("code", "words", "attempts"),
    [
        ("EXECUTION_FAILED", "", 3),
        ("EXECUTION_FAILED", ", retry: {max_attempts: 1}", 1),
        ("EXECUTION_FAILED", ", retry: {non_retryable: [EXECUTION_FAILED]}", 1),
        ("RATE_LIMITED", ", retry: {non_retryable: [EXECUTION_FAILED]}", 3),
        ("VALIDATION_ERROR", ", retry: {max_attempts: 5}", 1),
        ("UNAUTHORIZED", ", retry: {max_attempts: 5}", 1),
        ("MODEL_NOT_FOUND", ", retry: {max_attempts: 5}", 1),
        ("TOO_LARGE", ", retry: {max_attempts: 5}", 1),
        ("EXECUTION_FAILED", ", on_failure: retry", 3),
    ],
)
async def test_a_run_fails_with_the_code_and_place_of_its_step(
    lab: Lab, code: str, words: str, attempts: int
) -> None:
    """A failure names step, unit and line, and how often it was tried: never more than said."""
    run_id = await lab.start(f"""
        name: failing
        steps:
          - {{id: fine, type: lab.echo, input: {{name: fine}}}}
          - {{id: bad, type: lab.fail, input: {{name: bad, code: {code}}}{words}}}
    """)
    outcome = await lab.outcome(run_id)
    assert lab.board.attempts["bad"] == attempts
    assert outcome.state == "failed"
    assert outcome.error == {
        "code": code,
        "message": f"line 5, step 'bad' (lab.fail): asked to fail with {code}",
        "step": "bad",
        "unit": "lab.fail",
        "attempt": attempts,
        "line": 5,
        "retryable": is_retryable(code),
    }
    closing = (await lab.history(run_id)).events[-1]
    failure = closing.workflow_execution_failed_event_attributes.failure
    assert failure.application_failure_info.type == code


async def test_continue_leaves_the_error_where_the_output_would_be(lab: Lab) -> None:
    """A later step can look at it, and inside a text it reads as its message."""
    outcome = await lab.run("""
        name: goes-on
        steps:
          - {id: bad, type: lab.fail, input: {name: bad}, on_failure: continue}
          - id: after
            type: lab.echo
            input: {code: "${steps.bad.error.code}", text: "because: ${steps.bad.error}"}
    """)
    assert outcome.output == {
        "bad": {
            "error": {
                "code": "EXECUTION_FAILED",
                "message": "asked to fail with EXECUTION_FAILED",
                "step": "bad",
                "unit": "lab.fail",
                "attempt": 3,
                "line": 4,
            }
        },
        "after": {
            "code": "EXECUTION_FAILED",
            "text": "because: asked to fail with EXECUTION_FAILED",
        },
    }


async def test_continue_also_covers_an_expression_that_fails(lab: Lab) -> None:
    """A step may fail before its unit is reached; the author's word is the same."""
    outcome = await lab.run(
        """
        name: goes-on
        steps:
          - {id: bad, type: lab.echo, input: {n: "${1 / input.zero}"}, on_failure: continue}
        output: ${steps.bad.error.code}
        """,
        {"zero": 0},
    )
    assert outcome.output == "VALIDATION_ERROR"


async def test_abort_cancels_the_others_and_waits_for_them(lab: Lab) -> None:
    """When the run is told failed, nothing of it runs any more."""
    run_id = await lab.start("""
        name: aborting
        steps:
          - {id: long, type: lab.hang, input: {name: long}}
          - {id: bad, type: lab.fail, input: {name: bad, code: CONFLICT}, depends_on: [meet]}
          - {id: meet, type: lab.echo, input: {name: meet}}
          - {id: never, type: lab.echo, input: {name: never}, depends_on: [long]}
    """)
    outcome = await lab.outcome(run_id)
    assert outcome.error is not None
    assert outcome.error["step"] == "bad"
    assert lab.board.cancelled == ["long"]
    assert "never" not in lab.board.calls
    states = {state.step: state.state for state in await lab.runs.steps(run_id)}
    assert states == {"long": "cancelled", "bad": "failed", "meet": "done"}


async def test_an_attempt_over_its_timeout_is_stopped_and_tried_again(lab: Lab) -> None:
    """A timeout bounds one attempt, and the last one is told by its number."""
    outcome = await lab.run("""
        name: slow
        steps:
          - {id: a, type: lab.hang, timeout: 600ms, input: {name: a}}
    """)
    assert outcome.error is not None
    assert outcome.error["code"] == "TIMEOUT"
    assert outcome.error["attempt"] == 3
    assert "longer than its `timeout`" in str(outcome.error["message"])
    assert lab.board.attempts["a"] == 3


async def test_non_retryable_timeout_is_not_tried_again(lab: Lab) -> None:
    """Temporal has names of its own for timeouts; the author writes AIMA's code."""
    outcome = await lab.run("""
        name: slow-once
        steps:
          - id: a
            type: lab.hang
            timeout: 500ms
            retry: {non_retryable: [TIMEOUT]}
            input: {name: a}
    """)
    assert outcome.error is not None
    assert (outcome.error["code"], outcome.error["attempt"]) == ("TIMEOUT", 1)
    assert lab.board.attempts["a"] == 1


async def test_a_deadline_ends_the_step_with_all_its_attempts(lab: Lab) -> None:
    """The deadline comes in the second attempt; there is no third."""
    outcome = await lab.run("""
        name: late
        steps:
          - id: a
            type: lab.hang
            timeout: 700ms
            deadline: 1200ms
            retry: {max_attempts: 50}
            input: {name: a}
    """)
    assert outcome.error is not None
    assert (outcome.error["code"], outcome.error["attempt"]) == ("TIMEOUT", 2)
    assert "longer than its `deadline`" in str(outcome.error["message"])
    assert lab.board.attempts["a"] == 2


async def test_a_deadline_that_leaves_no_time_for_another_attempt_is_a_timeout(fast: Lab) -> None:
    """The step ran out of time, whatever its last attempt died of; both are told."""
    outcome = await fast.run("""
        name: late-between
        steps:
          - id: a
            type: lab.fail
            deadline: 1h
            retry: {max_attempts: 50, delay: 25m, backoff: 1, max_delay: 25m}
            input: {name: a}
    """)
    assert outcome.error is not None
    assert (outcome.error["code"], outcome.error["attempt"]) == ("TIMEOUT", 3)
    assert "asked to fail with EXECUTION_FAILED" in str(outcome.error["message"])
    assert fast.board.attempts["a"] == 3


async def test_a_long_backoff_is_durable_time(fast: Lab) -> None:
    """A day between two attempts holds up nothing; here it passes at once."""
    outcome = await fast.run("""
        name: patient
        steps:
          - id: a
            type: lab.fail
            deadline: 9d
            retry: {max_attempts: 3, delay: 1d, max_delay: 7d}
            input: {name: a, times: 2}
    """)
    assert outcome.state == "completed"
    assert fast.board.attempts["a"] == 3


async def test_a_unit_without_progress_fails_after_its_heartbeat(lab: Lab) -> None:
    """The unit lives, and the worker beats for it; it is the work that stands still."""
    outcome = await lab.run("""
        name: silent
        steps:
          - id: a
            type: lab.hang
            heartbeat: 600ms
            retry: {max_attempts: 2}
            input: {name: a}
    """)
    assert outcome.error is not None
    assert (outcome.error["code"], outcome.error["attempt"]) == ("TIMEOUT", 2)
    assert "no progress for 0.6 s" in str(outcome.error["message"])
    assert lab.board.cancelled == ["a", "a"]


async def test_a_unit_with_progress_may_take_longer_than_its_heartbeat(lab: Lab) -> None:
    """Progress is what counts, not the time in all."""
    outcome = await lab.run("""
        name: lively
        steps:
          - {id: a, type: lab.lively, heartbeat: 600ms, input: {name: a}}
    """)
    assert outcome.state == "completed"


async def test_a_failing_expression_names_its_own_line_and_column(lab: Lab) -> None:
    """The step begins on line 4; what is wrong stands on line 9."""
    outcome = await lab.run(
        """
        name: wrong-data
        steps:
          - id: a
            type: lab.echo
            input:
              messages:
                - role: user
                  content: "Say ${input.name} ${input.words[7]}"
        """,
        {"name": "x", "words": []},
    )
    assert outcome.error is not None
    assert outcome.error["line"] == 9
    assert "`input.messages[0].content` at 9:49: " in str(outcome.error["message"])
    assert outcome.error["step"] == "a"


async def test_a_failing_output_names_its_line(lab: Lab) -> None:
    """All steps are done, and the run fails all the same: the author must see why."""
    outcome = await lab.run("""
        name: wrong-output
        steps:
          - {id: a, type: lab.echo, input: {name: a}}
        output:
          good: ${steps.a.name}
          bad: ${steps.a.other}
    """)
    assert outcome.state == "failed"
    assert outcome.error is not None
    assert outcome.error["code"] == "VALIDATION_ERROR"
    assert outcome.error["line"] == 7
    assert str(outcome.error["message"]).startswith("`output.bad` at 7:18: ")
