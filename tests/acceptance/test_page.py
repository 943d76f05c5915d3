"""The page, in a real browser: signing in, running a workflow, watching it, and hostile texts."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.acceptance.command import REPOSITORY, Aima
from tests.acceptance.running import running_aima

QUESTION = REPOSITORY / "workflows" / "assets" / "question.wav"
HOSTILE = "</pre><img src=x onerror='window.pwned=1'><script>window.pwned=1</script>"
PATIENCE_MS = 30_000


@dataclass(frozen=True)
class Site:
    """A stack that is up, and a browser that knows nothing of it yet."""

    aima: Aima
    url: str
    browser: Browser

    def link(self) -> str:
        """Ask for what signs a browser in."""
        return self.aima.call("open", "--print").stdout.strip()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """AIMA, up, and a browser beside it."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no browser to look at the page with: `apt-get install chromium`")
    expect.set_options(timeout=PATIENCE_MS)
    with (
        running_aima(tmp_path_factory.mktemp("page")) as aima,
        sync_playwright() as playwright,
        playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--no-proxy-server"]
        ) as browser,
    ):
        yield Site(aima, f"http://127.0.0.1:{aima.door_port()}", browser)


@pytest.fixture(scope="module")
def signed_in(site: Site) -> Iterator[BrowserContext]:
    """The browser, let in by a link."""
    with site.browser.new_context(base_url=site.url) as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.goto(site.link())
        page.wait_for_url(f"{site.url}/")
        page.close()
        yield context


@pytest.fixture
def page(signed_in: BrowserContext) -> Iterator[Page]:
    """A page of the browser; whatever the page's own policy refuses fails the test."""
    page = signed_in.new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda line: said.append(line.text))
    yield page
    refused = [line for line in said if "Content Security Policy" in line or "Error:" in line]
    assert not refused
    assert page.evaluate("window.pwned") is None
    page.close()


def begin(page: Page, gate: Path, **more: str) -> None:
    """Fill the form in and run the workflow."""
    page.goto("/workflows/show-and-tell")
    page.get_by_label("gate").fill(str(gate))
    page.get_by_label("times").fill("1")
    for label, text in more.items():
        page.get_by_label(label).fill(text)


def run(page: Page) -> None:
    """Press the button, and come to the run."""
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/runs/show-and-tell-*")


def test_a_stranger_is_asked_for_a_key(site: Site) -> None:
    """The first key opens the page; a wrong one, or a way out, ends at the same small form."""
    with site.browser.new_context(base_url=site.url) as context:
        page = context.new_page()
        answer = page.goto("/runs")
        assert answer is not None
        assert answer.status == 401
        for key in ("aima_0_0", (site.aima.data / "admin.key").read_text().strip()):
            expect(page.get_by_role("heading")).to_have_text("Sign in")
            page.get_by_label("Key").fill(key)
            page.keyboard.press("Enter")
            if key == "aima_0_0":
                expect(page.get_by_role("alert")).to_contain_text("opens nothing")
        expect(page.get_by_role("heading", name="Workflows", exact=True)).to_be_visible()
        [cookie] = context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading")).to_have_text("Sign in")
        assert not context.cookies()


def test_a_link_lets_one_browser_in_once(site: Site) -> None:
    """Whoever reads it later, in a history or over a shoulder, stays outside."""
    link = site.link()
    for expected in ("Workflows", "Sign in"):
        with site.browser.new_context() as context:
            page = context.new_page()
            page.goto(link)
            expect(page.get_by_role("heading", level=1)).to_have_text(expected)
            assert link.partition("#")[2] not in page.url


def test_a_run_is_started_by_its_form_watched_and_heard(page: Page, tmp_path: Path) -> None:
    """Wrong values are told beside their fields; words come as they are said; sound plays."""
    gate = tmp_path / "gate"
    begin(page, gate, times="12", said=HOSTILE)
    page.get_by_label("audio").set_input_files(QUESTION)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("[data-wrong='input.times']")).to_contain_text("maximum of 9")
    expect(page.get_by_label("times")).to_be_focused()
    page.get_by_label("times").fill("3")
    run(page)
    expect(page.get_by_role("log")).to_contain_text("Once upon a time")
    expect(page.locator("#graph [data-step=tell]")).to_have_attribute("data-state", "running")
    gate.touch()
    expect(page.get_by_role("heading", name="Output")).to_be_visible()
    expect(page.get_by_role("log")).to_contain_text("there was an end")
    expect(page.locator("#graph [data-step=tell]")).to_have_attribute("data-state", "done")
    expect(page.locator("#ended")).to_contain_text(HOSTILE)
    page.wait_for_function("document.querySelector('#ended audio').duration > 1")
    page.goto("/")
    expect(page.get_by_text("Tells a story in <b>two</b> parts")).to_be_visible()


def test_what_went_wrong_is_told_with_its_line(page: Page, tmp_path: Path) -> None:
    """The message is whatever a step made of its input; the line is the file's."""
    gate = tmp_path / "gate"
    gate.touch()
    begin(page, gate, said=HOSTILE)
    page.get_by_label("breaks").check()
    run(page)
    failed = page.locator("#ended")
    expect(failed.get_by_role("heading")).to_have_text("BROKEN")
    expect(failed).to_contain_text(HOSTILE)
    expect(failed.locator(".place")).to_contain_text("show-and-tell.yaml:19:9")
    expect(failed.locator("[aria-current]")).to_have_text("- id: break")
    page.get_by_role("button", name="Retry what failed").click()
    expect(page.get_by_text("reused")).to_be_visible()


def test_the_keyboard_is_enough(page: Page, tmp_path: Path) -> None:
    """From the first page to a run that is cancelled, without a mouse."""
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, "a[href='/workflows/show-and-tell']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/workflows/show-and-tell")
    tab_to(page, "[name='input.gate']")
    page.keyboard.type(str(tmp_path / "gate"))
    page.keyboard.press("Tab")
    page.keyboard.type("2")
    tab_to(page, "button.main")
    page.keyboard.press("Space")
    page.wait_for_url("**/runs/show-and-tell-*")
    tab_to(page, "form[action$='/cancel'] button")
    page.keyboard.press("Enter")
    expect(page.locator("#top .badge")).to_have_text("cancelled")


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until something has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("(s) => document.activeElement.matches(s)", selector):
            return
    pytest.fail(f"Tab never comes to {selector}")


GUARDED = """\
name: guarded
triggers:
  - schedule: {cron: "0 7 * * *"}
steps:
  - {id: review, wait_for: {approval: {message: Shall it?, approvers: [ann]}, timeout: 1m}}
"""


def ask(page: Page, method: str, path: str, body: str) -> None:
    """Ask the door as a script of the page does."""
    asked = "([path, method, body]) => fetch(path, {method, body}).then((told) => told.status)"
    page.goto("/")
    assert page.evaluate(asked, [path, method, body]) < 300


def test_what_starts_and_what_waits_is_told_in_words(page: Page) -> None:
    """When it starts by itself, how long it goes on, and who may answer, before anybody tries."""
    ask(page, "PUT", "/api/v2/workflows/guarded", GUARDED)
    page.goto("/workflows/guarded")
    expect(page.get_by_text("At 0 7 * * * UTC, next ")).to_be_visible()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("Only ann may answer.")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    expect(page.locator("[data-since]")).to_have_text(re.compile("[1-9][0-9]* s"))
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#top .badge")).to_have_text("cancelled")


def test_a_run_of_a_unit_is_called_after_it(site: Site, page: Page) -> None:
    """All of them are one workflow to Temporal, which nobody who looks for one wants to know."""
    alone = '{"unit": "template.render", "input": {"text": "hi"}, "options": {"async": true}}'
    ask(page, "POST", "/api/v2/execute", alone)
    page.goto("/runs")
    page.get_by_role("link", name="template.render").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("template.render")
    assert "  template.render" in site.aima.call("runs").stdout


def test_another_page_gets_nothing_done(site: Site, signed_in: BrowserContext) -> None:
    """Cookies know no ports: what another program of the machine serves counts as the same site."""
    [cookie] = signed_in.cookies()
    own = {"cookie": f"{cookie['name']}={cookie['value']}"}
    other = "http://127.0.0.1:1"
    asked = {
        "own": {"origin": site.url, "sec-fetch-site": "same-origin"},
        "other": {"origin": other, "sec-fetch-site": "same-site"},
        "silent": {},
        "null": {"origin": "null"},
    }
    told = {}
    for name, headers in asked.items():
        connection = HTTPConnection("127.0.0.1", site.aima.door_port(), timeout=30)
        connection.request("POST", "/runs/none/cancel", headers={**own, **headers})
        told[name] = connection.getresponse().status
        connection.close()
    assert told == {"own": 404, "other": 403, "silent": 403, "null": 403}


def test_a_key_shows_no_more_than_it_may(site: Site) -> None:
    """A page is put together of several things; each is there only for who may read it."""
    scopes = ("--scope", "page:open", "--scope", "workflow:read")
    made = site.aima.call("key", "create", "reader", "--role", "viewer", *scopes).stdout.strip()
    told = {}
    for path in ("/", "/workflows/show-and-tell", "/runs", "/engines"):
        connection = HTTPConnection("127.0.0.1", site.aima.door_port(), timeout=30)
        headers = {"authorization": f"Bearer {made}", "accept": "text/html"}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        told[path] = answer.status
        assert "Workflows</a>" in text
        assert not [word for word in ("/runs", "/engines", "Run it") if word in text]
        connection.close()
    assert told == {"/": 200, "/workflows/show-and-tell": 200, "/runs": 403, "/engines": 403}
