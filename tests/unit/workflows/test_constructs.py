"""The constructs of the language, found by being there."""

from jsonschema import Draft202012Validator

from aima.workflows.constructs import language, running_bodies, running_modifiers


def test_every_construct_is_found_under_its_key() -> None:
    """A new construct is a new file; no list names it."""
    assert sorted(running_bodies()) == [
        *("emit", "race", "raise", "repeat", "return", "set", "steps", "switch", "type"),
        *("wait", "wait_for", "workflow"),
    ]
    assert sorted(language().modifiers) == [
        *("cache", "catch", "compensate", "deadline", "depends_on", "for_each", "heartbeat"),
        *("if", "labels", "local", "on_failure", "priority", "queue", "retry", "stream"),
        "timeout",
    ]
    assert sorted(language().sections) == [
        *("concurrency", "config", "defaults", "finally", "inputs", "labels", "on_failure"),
        *("secrets", "timeout", "triggers"),
    ]


def test_no_two_constructs_are_chosen_by_one_key() -> None:
    """What a step means must not depend on the order of files."""
    keys = [*language().bodies, *language().modifiers]
    assert len(keys) == len(set(keys))


def test_two_modifiers_never_stand_equally_far_outside() -> None:
    """Which of them runs first would depend on the order of files."""
    ranks = [modifier.rank for modifier in running_modifiers()]
    assert len(ranks) == len(set(ranks))


def test_every_key_has_a_schema_that_is_one() -> None:
    """Editors complete and check with them."""
    for modifier in language().modifiers.values():
        Draft202012Validator.check_schema(modifier.schema())
    for body in language().bodies.values():
        assert set(body.schema()) == set(body.keys)
        for schema in body.schema().values():
            Draft202012Validator.check_schema(schema)
