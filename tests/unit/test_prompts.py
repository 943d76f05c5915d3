"""Prompt templates: what they can do, and all they cannot."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aima.dsl.json import Json
from aima.errors import AimaError, NotFound, TimedOut, TooLarge, ValidationFailed
from aima.prompts import prompt_folders, render, render_file
from aima.prompts.meter import MOST_CHARACTERS, MOST_SECONDS

VALUES: dict[str, Json] = {
    "name": "Ada",
    "people": [{"name": "Ada", "born": 1815}, {"name": "Alan", "born": 1912}],
    "odd": {"items": 3, "update": 4, "__class__": 5},
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Hello {{ name }}!", "Hello Ada!"),
        ("{% for p in people %}{{ loop.index }}.{{ p.name }} {% endfor %}", "1.Ada 2.Alan "),
        ("{% for p in people %}{{ p.name }}{{ ', ' if not loop.last }}{% endfor %}", "Ada, Alan"),
        ("{{ people | map(attribute='name') | join(' and ') }}", "Ada and Alan"),
        ("{{ people | selectattr('born', '>', 1900) | list | length }}", "1"),
        ("{{ people | sum_of }}", None),
        ("{{ people | map(attribute='born') | sum }}", "3727"),
        ("{{ people[0] }}", '{"name":"Ada","born":1815}'),
        ("{{ [1.0, none, true, (1, 'é')] }}", '[1,null,true,[1,"é"]]'),
        ("{{ {'b': 1} | tojson }}", '{"b": 1}'),
        ("{{ missing | default('none') }}", "none"),
        ("{{ 'a\nb' | indent(2) }}", "a\n  b"),
        ("{{ 'aXa' | replace('a', 'bb') }}", "bbXbb"),
        ("{{ name ~ 1 ~ [2] }}", "Ada1[2]"),
        ("{{ name[1:] }}{{ name.upper() }}", "daADA"),
        ("{{ 7 // 2 }} {{ 2 ** 10 }} {{ 3.14159 | round(2) }}", "3 1024 3.14"),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(1) }}{{ m(2) }}", "<1><2>"),
        ("{% set n = namespace(x=0) %}{% for p in people %}{% set n.x = 7 %}{% endfor %}{{ n.x }}",
         "7"),
        ("{% for k, v in {'a': 1}.items() %}{{ k }}={{ v }}{% endfor %}", "a=1"),
        ("{{ odd.update }}{{ odd['items'] }}{{ odd['__class__'] }}", "435"),
        ("{% if name is string and 'd' in name %}yes{% endif %}", "yes"),
        ("{% for i in range(3) %}{{ i }}{% else %}none{% endfor %}", "012"),
        ("line one\n{% if true %}\nline two\n{% endif %}\nend\n", "line one\nline two\nend\n"),
        ("{{ {'a': {'code': 'TIMEOUT', 'message': 'too slow'}}.a }}", "too slow"),
    ],
)  # fmt: skip
def test_a_template_shapes_its_values(template: str, text: str | None) -> None:
    """What prompts need, and a filter that does not exist is told."""
    if text is None:
        with pytest.raises(ValidationFailed, match="No filter named"):
            render(template, VALUES)
    else:
        assert render(template, VALUES) == text


ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ '' | attr('__class__') }}",
    "{{ ['x'] | map(attribute='__class__') | list }}",
    "{{ ['x'] | map('attr', '__class__') | list }}",
    "{{ 'a' | map('format') | list }}",
    "{{ '{0.__class__}'.format(1) }}",
    "{{ '{a.__class__}'.format_map({'a': 1}) }}",
    "{{ '%s' % 1 }}",
    "{{ '%(a)s' | format(a=1) }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{% block b %}{% endblock %}{{ self.b() }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ joiner.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ namespace().__class__ }}",
    "{{ namespace()._Namespace__attrs }}",
    "{{ range.__self__ }}",
    "{{ range.__func__.__globals__ }}",
    "{{ range(3).__class__ }}",
    "{{ dict.mro() }}",
    "{% for x in [1] %}{{ loop.__class__ }}{% endfor %}",
    "{% for x in [1] %}{{ loop._iterator }}{% endfor %}",
    "{% for x in [1] %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "{% for x in [1] %}{{ loop }}{% endfor %}",
    "{% macro m() %}{% endmacro %}{{ m.__init__ }}",
    "{% macro m() %}{% endmacro %}{{ m._environment }}",
    "{% macro m() %}{% endmacro %}{{ m }}",
    "{% macro m() %}{{ caller.__globals__ }}{% endmacro %}{% call m() %}{% endcall %}",
    "{{ ''.join }}",
    "{{ ''.encode() }}",
    "{{ {}.update({'a': 1}) }}",
    "{{ [].append(1) }}",
    "{{ [].pop }}",
    "{{ {}.__setitem__('a', 1) }}",
    "{{ (1).real }}",
    "{{ 1.5.__class__ }}",
    "{{ none.__class__ }}",
    "{{ missing }}",
    "{{ missing.__class__ }}",
    "{{ missing._fail_with_undefined_error }}",
    "{{ name.missing }}",
    "{{ name() }}",
    "{{ name.upper }}",
    "{% set name.x = 1 %}",
    "{{ x | safe }}",
    "{{ 'x' | pprint }}",
    "{{ '' | xmlattr }}",
    "{{ g }}{{ request }}{{ config }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{% import 'os' as os %}",
    "{% include '/etc/passwd' %}",
    "{% include '../../pyproject.toml' %}",
    "{% include ['../a', '/etc/hostname'] %}",
    "{% extends '/etc/passwd' %}",
    "{% from '../x' import y %}",
    "{{ 1 | map('upper') }}",
    "{% do 1 %}",
    "{{ 1/0 }}",
    "{{ 'a' + 1 }}",
    "{{ ' x' | \n made }}",
]


@pytest.mark.parametrize("template", ESCAPES)
def test_a_template_reaches_nothing_but_its_values(template: str, tmp_path: Path) -> None:
    """The ways out of Jinja2's sandbox that are known, and those of the tools built on it."""
    with pytest.raises(ValidationFailed):
        render(template, {"name": "Ada"}, (tmp_path,))


@pytest.mark.parametrize("template", [t for t in ESCAPES if "{%" not in t])
def test_a_value_that_looks_like_a_template_stays_text(template: str) -> None:
    """What a model or a stranger writes is data."""
    assert render("{{ said }}", {"said": template}) == template


BOMBS = [
    "{{ 'a' * 10**9 }}",
    "{{ 10**9 * 'a' }}",
    "{{ [0] * 10**9 }}",
    "{{ 9 ** 9 ** 9 }}",
    "{% set n = 2 ** 600 %}{{ n * n }}",
    "{{ range(10**9) | list }}",
    "{{ range(10**9) | length }}",
    "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "{% for i in many %}{% for j in many %}{% for k in many %}{% endfor %}{% endfor %}{% endfor %}",
    "{% for i in many %}" * 2 + "{% if many == twin %}{% endif %}" * 99 + "{% endfor %}" * 2,
    "{% for i in many %}{% for j in many %}{{ 'x' * 1000 }}{% endfor %}{% endfor %}",
    "{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{% for x in [1] recursive %}{{ loop([x, x]) }}{{ loop([x, x]) }}{% endfor %}",
    "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a ~ a %}" * 40 + "{{ a | length }}",
    "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a + a %}" * 40 + "{{ a | length }}",
    "{% set a = 'a' %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 40 + "{{ a | length }}",
    "{% set a = 'a' %}" + "{% set a = (a, a) | join(a) %}" * 40 + "{{ a | length }}",
    "{% set a = 'a' %}" + "{% set a = a | replace('a', a * 9) %}" * 40 + "{{ a | length }}",
    "{% set a = [1] %}" + "{% set a = [a, a] %}" * 60 + "{{ a }}",
    "{% set a = [1] %}{% set b = [1] %}"
    + "{% set a = [a, a] %}{% set b = [b, b] %}" * 60
    + "{{ a == b }}",
    "{% set a = [1] %}" + "{% set a = {'x': a, 'y': a} %}" * 60 + "{{ a | tojson }}",
    "{% set n = namespace(a=[1]) %}{% for i in range(99) %}{% set n.a = [n.a, n.a] %}{% endfor %}",
    "{% set n = namespace(a=[1]) %}{% for i in many %}{% set n.a = n.a[:] + n.a[:] %}{% endfor %}",
    "{% filter replace('a', 'b' * 999999) %}" + "a" * 999 + "{% endfilter %}",
    "{{ 'x\n' * 99999 | indent(999999999) }}",
    "{{ 'x' | indent(999999999, true) }}",
    "{{ 1.5 | round(999999999) }}",
    "{{ 'x' | center(999999999) }}",
    "{{ [[1]] | sum(start=[]) }}",
    "{{ many | batch(999999999, 'x') | list }}",
    "{{ [1] | slice(999999999) | list }}",
    "{{ many | tojson(indent=999999999) }}{{ 'x' * 9999999 }}",
    "{% set x = 'a' * 999999 %}" * 50,
    "{{ '9' * 100000 | int }}{{ 'x' * 2000000 }}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{{ " + "not " * 5000 + "1 }}",
    "{{ " + "-" * 5000 + "1 }}",
    "{{ a" + ".a" * 5000 + " }}",
    "{{ " + "[" * 300 + "]" * 300 + " }}",
    "{% if a %}" * 2000 + "{% endif %}" * 2000,
    "{% for a in [1] %}" * 30 + "{% endfor %}" * 30,
    "{{ 1 }}" * 20000,
]


@pytest.mark.parametrize("template", BOMBS)
def test_a_template_that_would_not_end_is_ended(template: str) -> None:
    """A worker has one memory, and its other steps need their time."""
    started = time.monotonic()
    with pytest.raises((TooLarge, ValidationFailed, TimedOut)):
        render(template, {"many": list(range(1000)), "twin": list(range(1000))})
    assert time.monotonic() - started < MOST_SECONDS + 2


def test_a_long_text_goes_through(tmp_path: Path) -> None:
    """The bounds are far beyond any prompt."""
    (tmp_path / "page.j2").write_text("{{ page }}\n")
    pages: list[Json] = ["word " * 1000] * 100
    text = render("{% for page in pages %}{% include 'page.j2' %}{% endfor %}", {"pages": pages},
                  (tmp_path,))  # fmt: skip
    assert len(text) == 500_100


@pytest.mark.parametrize(
    ("template", "place"),
    [
        ("fine\n{{ missing }}\n", "<template>:2: 'missing' is undefined"),
        ("fine\n\n{% for %}\n", "<template>:3: "),
        ("fine\n{{ 'a' * 10**9 }}\n", "<template>:2: the template makes too much"),
        ("a\n{% macro m() %}\n{{ 1/0 }}{% endmacro %}\n\n{{ m() }}", "<template>:3: division"),
    ],
)
def test_a_mistake_is_told_with_its_line(template: str, place: str) -> None:
    """A template of two hundred lines has two hundred places for it."""
    with pytest.raises(AimaError) as told:
        render(template, {})
    assert told.value.message.startswith(place)


def test_the_line_of_a_file_names_the_file(tmp_path: Path) -> None:
    """An included template is where the mistake is."""
    (tmp_path / "outer.j2").write_text("{% include 'inner.j2' %}")
    (tmp_path / "inner.j2").write_text("\n{{ missing }}")
    with pytest.raises(ValidationFailed, match=r"^inner\.j2:2: 'missing' is undefined"):
        render_file("outer.j2", {}, (tmp_path,))


def test_an_unknown_prompt_is_told_with_the_nearest(tmp_path: Path) -> None:
    """Names are typed by hand."""
    (tmp_path / "summary.j2").touch()
    with pytest.raises(NotFound, match=r"did you mean 'summary\.j2'"):
        render_file("sumary.j2", {}, (tmp_path,))


@pytest.mark.parametrize("name", ["../secret.j2", "/secret.j2", "a/../../secret.j2"])
def test_no_name_leads_out_of_the_folders(name: str, tmp_path: Path) -> None:
    """The folder above a project is somebody else's."""
    (tmp_path / "secret.j2").write_text("secret")
    (tmp_path / "prompts").mkdir()
    with pytest.raises(NotFound):
        render_file(name, {}, (tmp_path / "prompts",))


def test_a_template_that_is_data_is_refused() -> None:
    """Compiling costs; data belong into the values."""
    with pytest.raises(TooLarge, match="65536"):
        render("x" * (MOST_CHARACTERS + 1), {})


def test_an_output_over_a_megabyte_is_refused() -> None:
    """It would travel through the history of a run; characters are not bytes."""
    assert len(render("{{ x }}", {"x": "x" * 1_000_000})) == 1_000_000
    with pytest.raises(TooLarge, match="1000000"):
        render("{{ x }}", {"x": "é" * 600_000})


def test_the_project_s_prompts_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project may put its own in a shipped one's place."""
    own = tmp_path / "templates" / "prompts"
    own.mkdir(parents=True)
    (tmp_path / "aima.toml").touch()
    (own / "summarize.j2").write_text("mine: {{ text }}")
    monkeypatch.chdir(tmp_path)
    assert render_file("summarize.j2", {"text": "x"}, prompt_folders()) == "mine: x"
    assert "a\n\nAnswer" in render_file(
        "answer-from-sources.j2", {"sources": ["a"], "question": "?"}, prompt_folders()
    )


PIECES = (
    "{{ }} {% %} {# #} for if in set else endfor endif macro endmacro x ( ) [ ] . , | ~ + * ** - "
    "% == 'a' 1 9999999 __class__ range namespace loop map join attr format \n"
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES.split(" ")), max_size=40).map(" ".join))
def test_whatever_a_template_is_only_our_errors_come_out(template: str) -> None:
    """Nobody knows all templates."""
    try:
        assert isinstance(render(template, {"x": ["a", 1]}), str)
    except AimaError as error:
        assert error.code in {"VALIDATION_ERROR", "TOO_LARGE", "TIMEOUT"}  # noqa: PT017 - the one of three
