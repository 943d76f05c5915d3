"""Every construct of the language, alone, on a real Temporal server."""

from typing import Any

import pytest

from tests.integration.lab import Lab

pytestmark = pytest.mark.asyncio(loop_scope="session")

RUNS: dict[str, tuple[str, dict[str, Any], Any]] = {
    "set": (
        """
        steps:
          - {id: a, set: {x: 1, y: "${input.n * 2}"}}
          - {id: b, set: {z: "${steps.a.y + steps.a.x}"}}
        output: {z: "${steps.b.z}"}
        """,
        {"n": 4},
        {"z": 9},
    ),
    "if": (
        """
        steps:
          - {id: yes, if: "${input.n > 3}", set: {x: 1}}
          - {id: no, if: "${input.n < 3}", set: {x: 1}}
          - id: after
            depends_on: [no]
            set: {got: "${has(steps.yes) ? 'y' : 'n'}${has(steps.no)}"}
        output: {got: "${steps.after.got}"}
        """,
        {"n": 4},
        {"got": "yfalse"},
    ),
    "block": (
        """
        steps:
          - id: both
            steps:
              - {id: one, type: lab.echo, input: {n: 1}}
              - {id: two, type: lab.echo, input: {n: "${steps.one.n + 1}"}}
          - {id: three, set: {n: "${steps.two.n + steps.both.one.n}"}}
        """,
        {},
        {"both": {"one": {"n": 1}, "two": {"n": 2}}, "three": {"n": 3}},
    ),
    "switch": (
        """
        steps:
          - id: which
            switch:
              - if: ${input.n == 1}
                steps: [{id: one, set: {x: one}}]
              - if: ${input.n == 2}
                steps: [{id: two, set: {x: two}}]
              - else: [{id: many, set: {x: many}}]
          - {id: after, set: {x: "${has(steps.two) ? steps.two.x : 'not two'}"}}
        """,
        {"n": 2},
        {"which": {"two": {"x": "two"}}, "after": {"x": "two"}},
    ),
    "repeat-until": (
        """
        steps:
          - id: loop
            repeat: {until: "${steps.count.n >= 3}", max: 10}
            steps:
              - {id: count, set: {n: "${has(steps.count) ? steps.count.n + 1 : 1}"}}
              - {id: tell, type: lab.echo, input: {n: "${steps.count.n}"}}
          - {id: after, set: {n: "${steps.tell.n}"}}
        """,
        {},
        {"loop": {"count": {"n": 3}, "tell": {"n": 3}, "rounds": 3}, "after": {"n": 3}},
    ),
    "repeat-while": (
        """
        steps:
          - id: loop
            repeat: {while: "${!has(steps.count) || steps.count.n < 2}", max: 10}
            steps:
              - {id: count, set: {n: "${has(steps.count) ? steps.count.n + 1 : 1}"}}
        """,
        {},
        {"loop": {"count": {"n": 2}, "rounds": 2}},
    ),
    "for-each": (
        """
        steps:
          - id: double
            for_each: {in: "${input.list}", as: n, index: i, max_parallel: 2}
            type: lab.echo
            input: {n: "${n * 2}", at: "${i}"}
          - {id: total, set: {sum: "${sum(steps.double.items.map(x, x.n))}"}}
        output: {items: "${steps.double.items}", sum: "${steps.total.sum}"}
        """,
        {"list": [1, 2, 3]},
        {"items": [{"n": 2, "at": 0}, {"n": 4, "at": 1}, {"n": 6, "at": 2}], "sum": 12},
    ),
    "for-each-block": (
        """
        steps:
          - {id: base, set: {n: 100}}
          - id: each
            for_each: {in: "${input.list}"}
            steps:
              - {id: first, set: {n: "${item + steps.base.n}"}}
              - {id: second, type: lab.echo, input: {n: "${steps.first.n + 1}"}}
        output: {items: "${steps.each.items}"}
        """,
        {"list": [1, 2]},
        {
            "items": [
                {"first": {"n": 101}, "second": {"n": 102}},
                {"first": {"n": 102}, "second": {"n": 103}},
            ]
        },
    ),
    "for-each-continue": (
        """
        steps:
          - id: each
            for_each: {in: [1, 2, 3], on_failure: continue}
            steps:
              - {id: bad, if: "${item == 2}", raise: {code: TWO, message: "item ${item}"}}
              - {id: good, depends_on: [bad], set: {n: "${item}"}}
        output:
          ok: "${steps.each.items.filter(x, has(x.good)).map(x, x.good.n)}"
          failed: "${steps.each.failed.map(f, [f.index, f.error.code, f.error.item])}"
        """,
        {},
        {"ok": [1, 3], "failed": [[1, "TWO", 1]]},
    ),
    "race": (
        """
        steps:
          - id: first
            race:
              - steps: [{id: slow, type: lab.hang, input: {name: slow}}]
              - steps: [{id: quick, type: lab.echo, input: {n: 1}}]
          - {id: after, set: {slow: "${has(steps.slow)}", winner: "${steps.first.winner}"}}
        """,
        {},
        {"first": {"quick": {"n": 1}, "winner": 1}, "after": {"slow": False, "winner": 1}},
    ),
    "return": (
        """
        steps:
          - {id: slow, type: lab.hang, input: {name: slow}}
          - id: block
            steps: [{id: done, return: {answer: "${input.n}"}}]
        """,
        {"n": 7},
        {"answer": 7},
    ),
    "catch": (
        """
        steps:
          - id: risky
            steps: [{id: bad, raise: {code: OH_NO, message: it broke}}]
            catch:
              - codes: [OTHER]
                steps: [{id: never, set: {x: 1}}]
              - codes: [OH_NO]
                as: e
                steps: [{id: handled, set: {told: "${e.code}: ${e.message}", line: "${e.line}"}}]
          - {id: after, set: {told: "${steps.handled.told}", code: "${steps.risky.error.code}"}}
        output:
          told: "${steps.after.told}"
          code: "${steps.after.code}"
          line: "${steps.handled.line}"
        """,
        {},
        {"told": "OH_NO: it broke", "code": "OH_NO", "line": 4},
    ),
    "retry-of-a-block": (
        """
        steps:
          - id: twice
            retry: {max_attempts: 3, delay: 10ms}
            steps:
              - id: flaky
                type: lab.fail
                retry: {max_attempts: 1}
                input: {name: flaky, times: 2}
        """,
        {},
        {"twice": {"flaky": {"name": "flaky"}}},
    ),
    "timeout-of-a-block": (
        """
        steps:
          - id: bounded
            timeout: 300ms
            on_failure: continue
            steps: [{id: slow, type: lab.hang, input: {name: slow}}]
        output: {code: "${steps.bounded.error.code}"}
        """,
        {},
        {"code": "TIMEOUT"},
    ),
    "wait": (
        """
        steps:
          - {id: a, wait: 10ms}
          - {id: b, depends_on: [a], wait: {until: "2020-01-01T00:00:00Z"}}
        """,
        {},
        {"a": {}, "b": {}},
    ),
    "defaults": (
        """
        defaults: {retry: {max_attempts: 1}}
        steps:
          - {id: a, type: lab.fail, input: {name: a, times: 1}, on_failure: continue}
        output: {code: "${steps.a.error.code}", attempt: "${steps.a.error.attempt}"}
        """,
        {},
        {"code": "EXECUTION_FAILED", "attempt": 1},
    ),
}


@pytest.mark.parametrize("name", RUNS)
async def test_a_construct_does_what_the_language_says(lab: Lab, name: str) -> None:
    """One run for each: what goes in, and what comes out."""
    text, given, expected = RUNS[name]
    outcome = await lab.run(f"        name: {name}\n" + text.strip("\n"), given)
    assert outcome.state == "completed", outcome
    assert outcome.output == expected
