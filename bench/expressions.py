"""What evaluating an expression costs, beside Google's CEL evaluator in the same run.

Both evaluate the same text over the same data, by turns. A figure is the median time of one
evaluation with the middle half of the rounds; a ratio says how many times as long Google's
takes, with its 95 % interval. Google's library is measured as it is used, with the data given
to `eval`, and again with an activation made beforehand, for which nobody pays here.

    python -m bench.expressions [rounds]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial

from cel_expr_python import cel

from aima.dsl.expression import parse
from aima.dsl.template import parse_template
from bench._ratios import ratio_of_means, spread

ROUNDS = 15
ROUND_SECONDS = 0.05

SCOPE: dict[str, object] = {
    "input": {"question": "why is the sky blue?", "n": 7, "level": 2.5},
    "steps": {
        "embed": {"vector": [i / 20_000 for i in range(20_000)], "model": "minilm"},
        "search": {"hits": [{"text": f"passage {i}", "score": i / 1000} for i in range(1000)]},
        "chat": {"content": "because of Rayleigh scattering", "usage": {"tokens": 42}},
    },
}
CASES = {
    "plain path": "steps.chat.usage.tokens",
    "path to the 20 000-float embedding": "steps.embed.vector",
    "arithmetic": "(input.n * 3 - 1) / 4 + input.n % 5",
    "condition": "input.n > 5 && steps.chat.content.startsWith('because')",
    "text": "'Q: ' + input.question + ' A: ' + steps.chat.content",
    "map over 1000 items": "steps.search.hits.map(h, h.text)",
    "filter, then map, 1000 items": (
        "steps.search.hits.filter(h, h.score > 0.5).map(h, h.text + '!')"
    ),
}
TEMPLATE = "Q: ${input.question} A: ${steps.chat.content} (${steps.chat.usage.tokens} tokens)"


def measure(calls: list[Callable[[], object]], rounds: int, seconds: float) -> list[list[float]]:
    """Time calls by turns, so that a busy machine is busy for all; give µs for each round."""
    repeats = [_repeats(call, seconds) for call in calls]
    found: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for call, repeat, samples in zip(calls, repeats, found, strict=True):
            started = time.perf_counter()
            for _ in range(repeat):
                call()
            samples.append((time.perf_counter() - started) / repeat * 1e6)
    return found


def _repeats(call: Callable[[], object], seconds: float) -> int:
    """Find how often to call in one round of so many seconds."""
    call()
    started = time.perf_counter()
    call()
    return max(1, int(seconds / (time.perf_counter() - started)))


def google_value(expression: cel.Expression, activation: cel.Activation | None) -> object:
    """Evaluate as a user of Google's library does."""
    if activation is None:
        return expression.eval(data=SCOPE).plain_value()
    return expression.eval(activation).plain_value()


def main(rounds: int = ROUNDS, seconds: float = ROUND_SECONDS) -> None:
    """Print some lines for each case."""
    environment = cel.NewEnv(variables=dict.fromkeys(SCOPE, cel.Type.DYN))
    activation = environment.Activation(SCOPE)
    for name, text in CASES.items():
        google = environment.compile(text)
        ours, given, prepared = measure(
            [
                partial(parse(text).evaluate, SCOPE),
                partial(google_value, google, None),
                partial(google_value, google, activation),
            ],
            rounds,
            seconds,
        )
        print(f"\n{name}: {text}")
        print(f"  AIMA                {spread(ours):>32} µs")
        for label, other in (("data given", given), ("activation", prepared)):
            ratio = ratio_of_means(ours, other)
            print(f"  Google, {label:12}{spread(other):>32} µs   x {ratio}")
    alone: dict[str, Callable[[], object]] = {
        f"template: {TEMPLATE}": partial(parse_template(TEMPLATE).evaluate, SCOPE),
        "parsing, each": partial(parse, CASES["condition"]),
    }
    for name, samples in zip(alone, measure(list(alone.values()), rounds, seconds), strict=True):
        print(f"\n{name}\n  AIMA                {spread(samples):>32} µs")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
