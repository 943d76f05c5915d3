"""The collector's rest."""

import gc

import pytest

from aima.dsl.collector import collector_rests


def test_nothing_is_collected_meanwhile_and_things_are_again_afterwards() -> None:
    """A process that checks files goes on for days."""
    with collector_rests():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_is_woken_after_a_failure_too() -> None:
    """Else one bad file would let the memory of a server grow from then on."""
    with pytest.raises(ValueError, match="bad"), collector_rests():
        raise ValueError("bad")
    assert gc.isenabled()


def test_who_keeps_it_asleep_finds_it_asleep() -> None:
    """A caller that measures, or forks, has its reasons."""
    gc.disable()
    try:
        with collector_rests():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
