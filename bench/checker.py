"""What checking and compiling a workflow costs, beside reading the same file with PyYAML.

    python -m bench.checker [rounds]

Times are of the processor, not of the clock. A ratio says how many times as long the check takes
as PyYAML's own `safe_load` of the same text, by turns, with its 95 % interval.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

import yaml

from aima.catalog import discover
from aima.dsl.load import load
from aima.gateway.workflows.definitions import Definitions
from bench._ratios import ratio_of_means, spread

ROUNDS = 15
LINES = 10_000
STEPS = 200

HEAD = """\
name: large
description: A workflow as large as nobody writes it by hand
inputs:
  type: object
  required: [text]
  properties:
    text: {type: string}
    tone: {type: string, default: friendly}
config: {model: default, longest: 200}
steps:
"""
CHAT = """\
  - id: ask-{n}
    type: inference.chat
    timeout: 2m
    retry: {{max_attempts: 3, delay: 2s}}
    input:
      model: ${{config.model}}
      max_tokens: ${{config.longest}}
      messages:
        - role: system
          content: You are an assistant.
        - role: user
          content: 'Be ${{input.tone}}: ${{{before}}}'
"""
CHOICE = """\
  - id: choose-{n}
    switch:
      - if: ${{size({before}) > 100}}
        steps:
          - id: long-{n}
            set: {{text: "${{{before}}}"}}
      - else:
          - id: short-{n}
            set: {{text: "${{{before}}}"}}
"""
LOOP = """\
  - id: each-{n}
    for_each: {{in: "${{{before}.split(' ')}}", as: word, max_parallel: 4}}
    set:
      shout: ${{word.upperAscii()}}
"""


def written(*, lines: int = 0, steps: int = 0) -> tuple[str, int]:
    """Write a workflow of so many lines, or so many steps; give it and its number of steps."""
    parts, before, count = [HEAD], "input.text", 0
    while sum(part.count("\n") for part in parts) < lines or count < steps:
        kind = LOOP if count % 10 == 8 else CHOICE if count % 10 == 4 else CHAT  # noqa: PLR2004 - one of ten each
        parts.append(kind.format(n=count, before=before))
        before = f"steps.ask-{count}.content" if kind is CHAT else before
        count += 3 if kind is CHOICE else 1
    return "".join(parts), count


def cpu_ms(work: Callable[[], object]) -> float:
    """Time some work, in milliseconds of the processor."""
    begun = time.process_time()
    work()
    return (time.process_time() - begun) * 1000


def measure(definitions: Definitions, text: str, rounds: int) -> None:
    """Measure one file, the readers by turns."""
    checked = definitions.check(text, "large.yaml")
    if not checked.ok:
        raise SystemExit(str(checked.diagnostics))
    works = {
        "PyYAML, safe_load": lambda: yaml.safe_load(text),
        "PyYAML with libyaml": lambda: yaml.load(text, yaml.CSafeLoader),
        "load": lambda: load(text, "large.yaml"),
        "load and check": lambda: definitions.check(text, "large.yaml"),
        "compile": lambda: definitions.plan(checked).hash,
    }
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(cpu_ms(work))
    for name, taken in times.items():
        print(f"  {name:20} ms  {spread(taken)}  best {min(taken):.0f}")
    ratio = ratio_of_means(times["PyYAML, safe_load"], times["load and check"])
    print(f"  load and check / safe_load  {ratio}")


def main() -> None:
    """Measure a file of ten thousand lines and one of two hundred steps."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    definitions = Definitions(discover())
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")
    for text, steps in (written(lines=LINES), written(steps=STEPS)):
        print(f"{text.count(chr(10))} lines, {steps} steps")
        measure(definitions, text, rounds)


if __name__ == "__main__":
    main()
