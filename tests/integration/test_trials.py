"""`aima test`: every shipped workflow has tests, they pass, and a wrong expectation is told."""

from pathlib import Path
from textwrap import dedent

import pytest

from aima.catalog import discover
from aima.errors import ValidationFailed
from aima.gateway.definitions import Definitions
from aima.shipped import shipped
from aima.trial.report import data_of, junit, lines_of
from aima.trial.runner import FileResult, run_files

WORKFLOWS = shipped("workflows")
SHIPPED = [*sorted(WORKFLOWS.glob("*.yaml")), *sorted(WORKFLOWS.glob("examples/*/*.yaml"))]
TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial" / "approval-with-undo.test.yaml"
TESTS = [file for file in SHIPPED if file.name.endswith(".test.yaml")]

WORKFLOW = """
    name: tried
    inputs: {type: object, properties: {n: {type: integer, default: 1}}}
    steps:
      - id: hello
        if: ${input.n > 0}
        type: template.render
        input: {text: hello}
      - {id: pause, depends_on: [hello], wait: 30d}
    output: {n: "${input.n}"}
"""


async def tried(folder: Path, cases: str, only: str = "") -> FileResult:
    """Write a workflow with its test file, and run it."""
    (folder / "tried.yaml").write_text(dedent(WORKFLOW))
    file = folder / "tried.test.yaml"
    file.write_text(dedent(cases))
    [done] = [one async for one in run_files([file], Definitions(discover()), only)]
    return done


@pytest.mark.parametrize("file", [f for f in SHIPPED if f not in TESTS], ids=lambda file: file.stem)
def test_every_shipped_workflow_has_a_test(file: Path) -> None:
    """People copy them; one without a test teaches to have none."""
    assert file.with_name(f"{file.stem}.test.yaml") in TESTS


async def test_the_tests_of_shipped_workflows_pass_and_reach_every_step() -> None:
    """They are examples of tests as well."""
    async for done in run_files([*TESTS, TUTORIAL], Definitions(discover())):
        assert not [case for case in done.results if case.wrong], done
        reached, steps = done.coverage.steps
        if done.file.stem.startswith("first-to-answer"):
            continue  # its loser never runs
        assert reached == steps, done.coverage.missed()


async def test_thirty_days_pass_at_once(tmp_path: Path) -> None:
    """A test that waits is a test nobody runs."""
    done = await tried(
        tmp_path,
        """
        cases:
          - {name: waits, stand_ins: {hello: {output: {text: hello}}}, expect: {output: {n: 1}}}
        """,
    )
    [case] = done.results
    assert case.wrong == []
    assert case.seconds < 20


async def test_what_is_not_as_expected_is_told(tmp_path: Path) -> None:
    """With what came and what was expected."""
    done = await tried(
        tmp_path,
        """
        cases:
          - name: wrong
            stand_ins: {hello: {output: {text: hello}}}
            expect: {output: {n: 2}, calls: {hello: 3}, inputs: {hello: {text: bye}}}
        """,
    )
    [case] = done.results
    assert case.wrong == [
        'output {"n": 1}, expected {"n": 2}',
        "hello was called 1 times, expected 3",
        'what hello got, its text is "hello", expected "bye"',
    ]
    assert any(line.startswith("FAILED") for line in lines_of(done))
    assert "<failure message=" in junit([done])
    assert data_of(done)["branches"] == {"reached": 1, "all": 2}


async def test_a_stand_in_that_the_unit_could_never_give_is_refused(tmp_path: Path) -> None:
    """A test against answers that never come proves nothing."""
    done = await tried(
        tmp_path, "cases: [{name: lies, stand_ins: {hello: {output: {txt: hello}}}}]\n"
    )
    assert "template.render gives no such output" in done.results[0].wrong[0]


async def test_a_unit_without_a_stand_in_is_named(tmp_path: Path) -> None:
    """With what to paste."""
    done = await tried(tmp_path, "cases: [{name: nobody}]\n")
    [wrong] = done.results[0].wrong
    assert "nobody stands in for step 'hello' (template.render)" in wrong
    assert "stand_ins" in wrong


async def test_a_mistake_in_a_test_file_is_told_where_it_stands(tmp_path: Path) -> None:
    """Like one in a workflow."""
    with pytest.raises(ValidationFailed, match=r"tried\.test\.yaml:2:25: `cases\.0\.expct`"):
        await tried(tmp_path, "cases:\n  - {name: typo, expct: {state: completed}}\n")
