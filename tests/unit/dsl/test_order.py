"""The order of steps."""

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aima.dsl.order import find_cycle, order_of
from aima.dsl.scope import Scopes
from aima.workflows.constructs import language
from tests.unit.dsl.checking import check


def order(steps: str) -> dict[str, tuple[str, ...]]:
    """Give what each step waits for."""
    document = check("name: w\nsteps:\n" + dedent(steps)).document
    assert document is not None
    return dict(order_of(Scopes(document, language())))


def test_a_step_waits_for_what_it_reads() -> None:
    """Wherever in its values, and also inside a guard."""
    found = order("""
        - {id: a, type: made.up, input: {text: "${steps.c.text} ${steps.d.text}"}}
        - {id: b, type: made.up, timeout: "${steps.c.text}", input: {text: x}}
        - {id: c, type: made.up, input: {text: "${has(steps.d.maybe) ? 'a' : 'b'}"}}
        - {id: d, type: made.up, input: {words: ["${steps['e'].text}"], text: x}}
        - {id: e, type: made.up, input: {text: x}}
    """)
    assert found == {"a": ("c", "d"), "b": ("c",), "c": ("d",), "d": ("e",), "e": ()}


def test_a_step_waits_for_what_it_depends_on_and_nothing_twice() -> None:
    """Both ways to say it may be used at once."""
    found = order("""
        - {id: a, type: made.up, input: {text: "${steps.b.text}"}, depends_on: [c, b, c]}
        - {id: b, type: made.up, input: {text: x}}
        - {id: c, type: made.up, input: {text: x}}
    """)
    assert found["a"] == ("b", "c")


def test_what_people_read_is_no_dependency() -> None:
    """A description may quote an expression; `$${` is none either."""
    found = order("""
        - {id: a, type: made.up, description: "as ${steps.b.text}", input: {text: "$${steps.b}"}}
        - {id: b, type: made.up, input: {text: x}}
    """)
    assert found["a"] == ()


def test_ids_with_hyphens_are_names() -> None:
    """`steps.load-data` is no subtraction."""
    found = order("""
        - {id: a, type: made.up, input: {text: "${steps.load-data.text}"}}
        - {id: load-data, type: made.up, input: {text: x}}
    """)
    assert found["a"] == ("load-data",)


def test_unknown_ids_are_left_to_the_checker() -> None:
    """They are told there, with a hint; the order is of what exists."""
    assert order("""
        - {id: a, type: made.up, input: {text: "${steps.nobody.text}"}, depends_on: [nothing]}
    """) == {"a": ()}


@pytest.mark.parametrize(
    ("edges", "circle"),
    [
        ({"a": ()}, ()),
        ({"a": ("b",), "b": ("c",), "c": ()}, ()),
        ({"a": ("a",)}, ("a",)),
        ({"a": ("b",), "b": ("a",)}, ("a", "b")),
        ({"a": ("b",), "b": ("c",), "c": ("b",)}, ("b", "c")),
        ({"x": (), "a": ("x", "b"), "b": ("c", "x"), "c": ("a",)}, ("a", "b", "c")),
    ],
)
def test_a_circle_is_found_and_only_its_steps_are_named(
    edges: dict[str, tuple[str, ...]], circle: tuple[str, ...]
) -> None:
    """A step that merely waits for the circle is not in it."""
    assert find_cycle(edges) == circle


def test_a_long_chain_costs_what_it_is_long() -> None:
    """Searching it step by step took a second for ten thousand; now it is milliseconds."""
    size = 50_000
    chain = {f"s{n}": (f"s{n + 1}",) for n in range(size)} | {f"s{size}": ()}
    assert find_cycle(chain) == ()
    assert len(find_cycle(chain | {f"s{size}": ("s0",)})) == size + 1


@given(st.data())
def test_a_circle_found_is_one_and_none_is_missed(data: st.DataObject) -> None:
    """Against the definition: each waits for the next, or the steps can be put in a row."""
    names = [f"s{n}" for n in range(data.draw(st.integers(1, 7)))]
    edges = {
        name: tuple(data.draw(st.lists(st.sampled_from(names), unique=True))) for name in names
    }
    circle = find_cycle(edges)
    for here, following in zip(circle, (*circle[1:], *circle[:1]), strict=True):
        assert following in edges[here]
    if not circle:
        done: set[str] = set()
        for _ in names:
            done |= {name for name in names if done.issuperset(edges[name])}
        assert done == set(names)
