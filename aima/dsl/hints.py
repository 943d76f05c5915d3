"""Hints for what people bring along: words and signs of other systems, and what is said here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from aima.dsl.nearest import nearest

_MOST_NAMES = 10

_WORDS = {
    "after": ("depends_on", "`depends_on: [STEP]`"),
    "args": ("input", "`input`"),
    "attempts": ("max_attempts", "`max_attempts`"),
    "case": ("if", "`if`"),
    "cases": ("switch", "`switch: [{if, steps}, …, {else: […]}]`"),
    "condition": ("if", "`if`"),
    "cron": ("schedule", '`schedule: {cron: "0 7 * * *"}`'),
    "default": ("if", "`else: […]`"),
    "delay": ("wait", "`wait: 30s`"),
    "do": ("steps", "`steps`"),
    "env": ("config", "`config` for values, `secrets` for what nobody may see"),
    "error": ("codes", "`codes: [CODE]`"),
    "errors": ("codes", "`codes: [CODE]`"),
    "every": ("schedule", "`schedule: {cron: …}`"),
    "jobs": ("steps", "`steps`, a list"),
    "message": ("approval", "`approval: {message: …}`"),
    "needs": ("depends_on", "`depends_on: [STEP]`"),
    "on": ("triggers", "`triggers`"),
    "on_error": ("on_failure", "`on_failure`, or `catch` in a step"),
    "parallel": ("steps", "`steps`: those that do not read each other run side by side"),
    "parameters": ("input", "`input`"),
    "params": ("input", "`input`"),
    "retries": ("retry", "`retry: {max_attempts: 3}`"),
    "run": ("type", "`type: UNIT`, with its `input`; a command of your own is a unit of your own"),
    "schedule": ("triggers", "`triggers: [{schedule: {cron: …}}]`"),
    "sleep": ("wait", "`wait: 30s`"),
    "tasks": ("steps", "`steps`"),
    "template": ("workflow", "`workflow: NAME`"),
    "then": ("steps", "`steps`"),
    "try": ("catch", "`steps` and `catch: [{codes, steps}]` in one step"),
    "unit": ("type", "`type`"),
    "until": ("repeat", "`repeat: {until: …, max: N}` beside `steps`"),
    "uses": ("type", "`type: UNIT`"),
    "vars": ("config", "`config`, or `set` in a step"),
    "when": ("if", "`if`"),
    "while": ("repeat", "`repeat: {while: …, max: N}` beside `steps`"),
    "with": ("input", "`input`"),
    "with_items": ("for_each", "`for_each: {in: …}`"),
}
"""Words of other systems: the key that must be known where they stand, and what to write."""

_ROOTS = r"(?:inputs?|config|steps|secrets|run|event|error|env|vars)"
_FOREIGN = re.compile(
    rf"\{{\{{\s*({_ROOTS}\.[\w.\[\]-]*\w)\s*\}}\}}|(?<!\$)\$({_ROOTS}\.[\w.-]*\w)"
)


def key_hint(key: str, known: Collection[str]) -> str:
    """Say what a key that is not known here was probably meant to be."""
    if near := nearest(key, known):
        return f"did you mean `{near}`?"
    target, write = _WORDS.get(key.lower().replace("-", "_"), ("", ""))
    if target in known:
        return f"write {write}"
    return f"known are {', '.join(dict.fromkeys(known))}"


def suggestion(name: str, known: Iterable[str], lead: str) -> str:
    """Give the nearest of the known names, or the first of them behind ``lead``."""
    names = list(known)
    near = nearest(name, names)
    if near is not None:
        return f"did you mean `{near}`?"
    more = ", …" if len(names) > _MOST_NAMES else ""
    return f"{lead} {', '.join(f'`{n}`' for n in names[:_MOST_NAMES]) or 'none'}{more}"


def foreign_reference(text: str) -> tuple[int, int, str] | None:
    """Find a reference as other systems write them: where it stands, and what it says."""
    found = _FOREIGN.search(text) if "{{" in text or "$" in text else None
    if found is None:
        return None
    path = (found[1] or found[2]).replace("inputs.", "input.", 1)
    return found.start(), found.end(), path
