"""What is too large to be handed on: told while the run can still clean up, with its line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from aima.dsl.json import Json
from aima.workflows.failure import StepError, StepFailed

if TYPE_CHECKING:
    from aima.workflows.run import Run


def refusal(value: Json) -> ApplicationError | None:
    """Say why a value cannot leave a run, such as that it is too large; None where it can."""
    try:
        workflow.payload_converter().to_payload(value)
    except ApplicationError as error:
        return error
    return None


def check_output(run: Run, output: Json) -> None:
    """See whether a run can end with an output.

    Raises:
        StepFailed: it cannot; the error names the line of the output, or its largest step.
    """
    error = refusal(output)
    if error is None:
        return
    if run.program.output is None:
        raise StepFailed(too_large(run, error)) from error
    key = _largest(output) if isinstance(output, Mapping) else ""
    line, column = _place(run, key)
    where = f"`output.{key}`" if key else "`output`"
    message = f"{where} at {line}:{column}: {error.message}"
    raise StepFailed(StepError(_code(error), message, "", None, 1, line)) from error


def too_large(run: Run, error: ApplicationError) -> StepError:
    """Say that a run knows more than it can hand on, and which step left most of it."""
    outputs: dict[str, Json] = run.state["outputs"]
    largest = _largest({key: outputs[key] for key in outputs if key in run.program.nodes})
    if not largest:
        return StepError(_code(error), error.message, "", None, 1, 1)
    told = f"the steps' outputs are together too large; most of it is this one's: {error.message}"
    return run.program.nodes[largest].error(_code(error), told)


def _code(error: ApplicationError) -> str:
    return error.type or "TOO_LARGE"


def _largest(values: Mapping[str, Json]) -> str:
    """Name the largest of some values, such as what cannot be written at all."""
    convert = workflow.payload_converter().to_payload

    def size(key: str) -> float:
        try:
            return len(convert(values[key]).data)
        except ApplicationError:
            return float("inf")

    return max(values, key=size, default="")


def _place(run: Run, key: str) -> tuple[int, int]:
    """Find the first expression of the output, below a key if there is one below it."""
    found = [(path, marks[0]) for path, marks in run.program.places if marks]
    for wanted in (["output", key], ["output"]):
        for path, (_, line, column) in found:
            if path[: len(wanted)] == wanted:
                return line, column
    return 1, 1
