"""`aima plan`: what a workflow compiles to, for people."""

from pathlib import Path

from click.testing import CliRunner

from aima.gateway.cli.main import cli

WORKFLOW = """
name: shown
steps:
  - id: voices
    type: inference.voices
  - id: each
    for_each: {in: "${steps.voices.voices}", as: voice}
    if: ${size(steps.voices.voices) > 1}
    steps:
      - id: greet
        type: inference.synthesize
        input: {text: hello}
        retry: {max_attempts: 1}
"""


def test_a_plan_tells_loops_conditions_and_where_units_run(tmp_path: Path) -> None:
    """Nested as the file is; why a unit needs a task of its own is said."""
    file = tmp_path / "shown.yaml"
    file.write_text(WORKFLOW)
    head, *told = CliRunner().invoke(cli, ["plan", str(file)]).output.splitlines()
    assert head.startswith("shown  sha256:")
    assert [" ".join(line.split()) for line in told] == [
        "voices inference.voices",
        "a task of its own: inference.voices may take longer than 5 s; at most 60 s, 3 attempts",
        "each if size(steps.voices.voices) > 1, for each of steps.voices.voices after voices",
        "greet inference.synthesize",
        "a task of its own: inference.synthesize may change something; at most 300 s, 1 attempt",
    ]
    depths = [len(line) - len(line.lstrip()) for line in told]
    assert depths == [2, 6, 2, 4, 8]
