"""The constructs of the language, found by being there."""

from jsonschema import Draft202012Validator

from aima.workflows.constructs import language, running_bodies


def test_every_body_and_modifier_is_found_under_its_key() -> None:
    """A new construct is a new file; no list names it."""
    assert list(running_bodies()) == ["type"]
    assert sorted(language().modifiers) == [
        *("deadline", "depends_on", "heartbeat", "on_failure", "retry", "timeout")
    ]


def test_no_two_constructs_claim_one_key() -> None:
    """What a step means must not depend on the order of files."""
    keys = [key for body in language().bodies.values() for key in body.keys]
    keys += language().modifiers
    assert len(keys) == len(set(keys))


def test_every_key_has_a_schema_that_is_one() -> None:
    """Editors complete and check with them."""
    for modifier in language().modifiers.values():
        Draft202012Validator.check_schema(modifier.schema())
    for body in language().bodies.values():
        assert set(body.schema()) == set(body.keys)
        for schema in body.schema().values():
            Draft202012Validator.check_schema(schema)
