"""`aima test`: every shipped workflow has tests, they pass, and a wrong expectation is told."""

from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft202012Validator

from aima.catalog import discover
from aima.dsl.load import load
from aima.dsl.node import to_json
from aima.errors import ValidationFailed
from aima.gateway.cli.new_command import KINDS, scaffold
from aima.gateway.workflows.definitions import Definitions
from aima.shipped import shipped
from aima.trial.cases import schema_of_tests
from aima.trial.coverage import Coverage
from aima.trial.judge import differences
from aima.trial.report import data_of, junit, lines_of
from aima.trial.runner import FileResult, Result, run_files

WORKFLOWS = shipped("workflows")
SHIPPED = [*sorted(WORKFLOWS.glob("*.yaml")), *sorted(WORKFLOWS.glob("examples/*/*.yaml"))]
TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial" / "approval-with-undo.test.yaml"
LATE = Path(__file__).parents[1] / "data" / "trial" / "late.test.yaml"
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
        assert reached == steps, done.coverage.missed()


def scaffolds(folder: Path) -> list[Path]:
    """Write every kind of new workflow; give the tests."""
    for kind in KINDS:
        for file, text in scaffold(kind, kind).items():
            (folder / file).write_text(text, encoding="utf-8")
    return sorted(folder.glob("*.test.yaml"))


async def test_what_aima_new_writes_is_tested_already(tmp_path: Path) -> None:
    """The first thing a newcomer runs, and copies."""
    async for done in run_files(scaffolds(tmp_path), Definitions(discover())):
        assert not [case.wrong for case in done.results if case.wrong], done.file.name
        assert not done.coverage.missed()


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


async def test_a_stand_in_takes_its_time_and_none_of_ours() -> None:
    """One after the other on one server, whose clock goes on from case to case."""
    [done] = [one async for one in run_files([LATE], Definitions(discover()))]
    assert [(case.name, case.wrong) for case in done.results if case.wrong] == []
    assert len(done.results) == 7


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
        "output.n is 1, expected 2",
        "hello was called 1 times, expected 3",
        'inputs.hello.text is "hello", expected "bye"',
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
    wrong = r"tried\.test\.yaml:2:25: `cases\.0\.expct`: there is no .*did you mean `expect`"
    with pytest.raises(ValidationFailed, match=wrong):
        await tried(tmp_path, "cases:\n  - {name: typo, expct: {state: completed}}\n")


async def test_all_mistakes_in_names_and_times_are_told_at_once(tmp_path: Path) -> None:
    """A stand-in for a step that there is not would stand in for nobody, unnoticed."""
    with pytest.raises(ValidationFailed) as told:
        await tried(
            tmp_path,
            """\
            cases:
              - name: typos
                now: tomorrow
                stand_ins: {helo: {output: {}, delay: 1x}}
                approvals: [{step: pause}]
                signals: [{name: go, after: 1h}]
                cancel: {after: soon}
                expect: {calls: {hello: 1, bye: 2}, order: [hello, paus]}
              - name: typos
            """,
        )
    lines = [line.partition("tried.test.yaml:")[2] for line in told.value.message.splitlines()]
    places = ["4:23", "8:37", "8:56", "5:24", "6:22", "4:43", "7:21", "3:10", "9:11"]
    assert [":".join(line.split(":")[:2]) for line in lines] == places
    assert lines[0].endswith("no step and no unit is called 'helo'; did you mean 'hello'?")
    assert lines[2].endswith("no step is called 'paus'; did you mean 'pause'?")
    assert lines[3].endswith("no step waits for approval called 'pause'")
    assert lines[-1].endswith("there are two cases 'typos'")


async def test_a_part_of_the_output_and_each_call_s_input_can_be_expected(tmp_path: Path) -> None:
    """What a test does not care about, it need not repeat."""
    done = await tried(
        tmp_path,
        """
        cases:
          - name: parts
            stand_ins:
              hello: [{error: {code: ENGINE_NOT_RUNNING}}, {output: {text: "${input.text}!"}}]
            expect: {output_has: {}, inputs: {hello: [{text: hello}, {text: hello}]}}
          - name: not so
            stand_ins: {hello: {output: {text: hello}}}
            expect: {output_has: {m: 1}, inputs: {hello: [{text: hello}, {}]}}
        """,
    )
    first, second = done.results
    assert first.wrong == []
    assert second.wrong == [
        "output has no 'm', expected 1",
        "inputs.hello has 1 items, expected 2",
    ]


async def test_a_case_may_say_when_it_starts(tmp_path: Path) -> None:
    """What depends on the time can be tested for every time."""
    (tmp_path / "tried.yaml").write_text(
        'name: tried\nsteps: [{id: a, wait: 1h}]\noutput: {at: "${run.started_at}"}\n'
    )
    file = tmp_path / "tried.test.yaml"
    file.write_text(
        dedent("""
        cases:
          - {name: then, now: "2099-05-01T12:00:00Z", expect: {output_has: {at: x}}}
          - {name: past, now: "1999-05-01T12:00:00Z"}
    """)
    )
    [done] = [one async for one in run_files([file], Definitions(discover()))]
    then, past = done.results
    assert then.wrong[0].startswith('output.at is "2099-05-01T12:00:')
    assert past.wrong == ["`now` '1999-05-01T12:00:00Z' is over; take a time to come"]


def test_junit_is_xml_whatever_a_model_has_written() -> None:
    """A control character in an output must not cost the whole report."""
    document = Definitions(discover()).check("name: x\nsteps: [{id: a, wait: 1s}]", "x").document
    assert document is not None
    done = FileResult(Path("x.test.yaml"), Coverage(document))
    done.results.append(Result("bell \x07", 3, 0.5, ["output is \x1b[1m\ud800"]))
    suites = ET.fromstring(junit([done]))  # noqa: S314 - our own
    assert suites.attrib["failures"] == "1"
    [case] = suites.iter("testcase")
    assert case.attrib["name"] == "bell \ufffd"


def test_long_texts_are_shown_where_they_begin_to_differ() -> None:
    """Two pages that differ in a word look the same at a glance."""
    one = "word " * 100
    other = one[:300] + "WORD" + one[304:]
    [told] = differences("output.text", one, other)
    head, mine, yours = told.splitlines()
    assert head == "output.text differs from character 301 on:"
    assert (mine.split()[0], yours.split()[0]) == ("is", "expected")
    assert "WORD" in yours


@pytest.mark.parametrize("file", [*TESTS, TUTORIAL], ids=lambda file: file.stem)
def test_the_schema_for_editors_takes_every_shipped_test(file: Path) -> None:
    """An editor that underlines what runs is worse than none."""
    _, root, _ = load(file.read_bytes(), str(file))
    assert root is not None
    Draft202012Validator(schema_of_tests()).validate(to_json(root))
