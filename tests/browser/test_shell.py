"""What all pages have in common: their addresses, the one connection, the keyboard, and who is asked to sign in."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.looks import EN_LIGHT, EN_NARROW, ZH_DARK
from tests.browser.pages import connection, go, heading, row
from tests.browser.texts import Texts
from tests.browser.worlds import large
from tests.browser.worlds.door import node_body, open_door
from tests.browser.worlds.wanted import Size
from tests.e2e.cluster import wait_for
from tests.servers import running_apiserver

TOKEN = "correct-horse-battery-staple"
PAGES = ("overview", "tasks", "assignments", "nodes", "apps", "services", "events", "settings")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_apiserver(tmp_path_factory.mktemp("shell")) as (_, found):
        large.fill(found, size=Size(tasks=8, nodes=6, apps=4))
        yield found


def test_every_page_has_a_place_in_the_navigation(url: str, visit: Visit) -> None:
    user, say = visit(url, EN_LIGHT), Texts("en")
    user.page.goto("/nodes")
    expect(connection(user.page)).to_have_text(say("shell.connection.live"))
    for name in PAGES[1:]:
        go(user.page, say, name)
        expect(user.page).to_have_url(f"{url}/{name}")
        expect(heading(user.page)).to_be_visible()


def test_every_page_has_an_address(url: str, visit: Visit) -> None:
    user, say = visit(url, ZH_DARK), Texts("zh")
    for name in PAGES:
        user.page.goto(f"/{name}")
        expect(heading(user.page)).to_be_visible()
    user.page.goto("/no/such/page")
    expect(heading(user.page)).to_have_text(say("shell.notFound.title"))


def test_all_tabs_share_one_watch(url: str, visit: Visit) -> None:
    user = visit(url, EN_LIGHT)
    user.page.goto("/nodes")
    expect(connection(user.page)).to_have_text("Live")
    for path in ("/tasks", "/assignments", "/events"):
        tab = user.context.new_page()
        tab.goto(path)
        expect(connection(tab)).to_have_text("Live")
    assert _watchers(url, 1) == 1


def test_keys_lead_about(url: str, visit: Visit) -> None:
    user, say = visit(url, ZH_DARK), Texts("zh")
    page = user.page
    page.goto("/settings")
    expect(heading(page)).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("n")
    expect(page).to_have_url(f"{url}/nodes")
    page.keyboard.press("/")
    field = page.get_by_role("search").get_by_role("textbox")
    expect(field).to_be_focused()
    page.keyboard.type("fra1")
    expect(page).to_have_url(f"{url}/nodes?q=fra1")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name=say("shell.keys.title"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_row_says_and_does_more_when_asked(url: str, visit: Visit) -> None:
    user = visit(url, EN_LIGHT)
    page = user.page
    page.goto("/assignments")
    page.locator("[data-row] time").first.hover()
    expect(page.get_by_role("tooltip").filter(has_text=re.compile(r"^20\d\d-\d\d-\d\d [\d:]+ UTC"))).to_be_visible()
    button = page.locator("[data-row] button[aria-haspopup=menu]").first
    menu = page.locator("[role=menu]:visible")
    for by_key in (False, True):
        if by_key:
            page.keyboard.press("Enter")
        else:
            button.click()
        expect(menu).to_be_visible()
        page.wait_for_function("() => document.activeElement.closest('[role=menu]')")
        page.keyboard.press("Escape")
        expect(menu).to_be_hidden()
        expect(button).to_be_focused()


def test_a_phone_has_the_navigation_in_a_menu(url: str, visit: Visit) -> None:
    user, say = visit(url, EN_NARROW), Texts("en")
    user.page.goto("/nodes")
    expect(heading(user.page)).to_be_visible()
    user.page.get_by_role("button", name=say("shell.nav.open")).click()
    go(user.page, say, "tasks")
    expect(user.page).to_have_url(f"{url}/tasks")
    expect(user.page.get_by_role("navigation")).to_be_hidden()


def test_what_is_shown_stays_while_the_server_is_away(visit: Visit, tmp_path: Path) -> None:
    with running_apiserver(tmp_path) as (_, url), open_door(url) as door:
        door.create("nodes", node_body("first"))
        user, say = visit(url, EN_LIGHT), Texts("en")
        user.trouble.expect("ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY")
        page = user.page
        page.goto("/nodes")
        expect(connection(page)).to_have_text(say("shell.connection.live"))
        expect(row(page, "first")).to_be_visible()
    expect(connection(page)).to_have_text(say("shell.connection.reconnecting"))
    expect(row(page, "first")).to_be_visible()
    with running_apiserver(tmp_path, "--addr", url.removeprefix("http://")), open_door(url) as door:
        door.create("nodes", node_body("second"))
        expect(connection(page)).to_have_text(say("shell.connection.live"), timeout=20_000)
        expect(row(page, "second")).to_be_visible()


FORBIDDEN = """
for (const name of ["localStorage", "sessionStorage", "SharedWorker"]) {
  Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError") } })
}
"""


def test_pages_live_where_the_browser_forbids_storage_and_workers(url: str, visit: Visit) -> None:
    user, say = visit(url, EN_LIGHT), Texts("en")
    user.context.add_init_script(FORBIDDEN)
    for path in ("/nodes", "/tasks/create"):
        user.page.goto(path)
        expect(heading(user.page)).to_be_visible()
        expect(connection(user.page)).to_have_text(say("shell.connection.live"))


def test_another_database_at_the_same_address_is_shown_as_it_is(visit: Visit, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    with running_apiserver(other) as (_, url), open_door(url) as door:
        for name in ("theirs", "theirs-2", "theirs-3"):  # so that its version is higher
            door.create("nodes", node_body(name))
    with running_apiserver(one) as (_, url), open_door(url) as door:
        door.create("nodes", node_body("ours"))
        user = visit(url, EN_LIGHT)
        user.trouble.expect("ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY")
        user.page.goto("/nodes")
        expect(row(user.page, "ours")).to_be_visible()
    with running_apiserver(other, "--addr", url.removeprefix("http://")):
        expect(row(user.page, "theirs")).to_be_visible(timeout=20_000)
        expect(row(user.page, "ours")).to_be_hidden()


def test_who_is_asked_for_a_token_signs_in(visit: Visit, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{TOKEN},ann\n", encoding="utf-8")
    with running_apiserver(tmp_path / "server", "--token-file", str(tokens)) as (_, url):
        user, say = visit(url, ZH_DARK), Texts("zh")
        user.trouble.expect("401")
        page = user.page
        page.goto("/nodes")
        field = page.get_by_label(say("shell.signIn.token"))
        field.fill("wrong")
        page.get_by_role("button", name=say("shell.signIn.submit")).click()
        expect(page.get_by_role("alert")).to_have_text(say("shell.signIn.wrong"))
        field.fill(TOKEN)
        page.get_by_role("button", name=say("shell.signIn.submit")).click()
        expect(connection(page)).to_have_text(say("shell.connection.live"))
        expect(heading(page)).to_be_visible()

        # The token is taken away: what is asked for next leads back to where one gives another.
        tokens.write_text(f"{TOKEN}-2,ann\n", encoding="utf-8")
        _await_refusal(url, TOKEN)
        page.goto("/settings")
        expect(page.get_by_role("alert")).to_have_text(say("shell.signIn.wrong"))


def _await_refusal(url: str, token: str) -> None:
    """Servers read their token file every two seconds."""
    headers = {"authorization": f"Bearer {token}"}

    def is_refused() -> bool:
        return httpx.get(f"{url}/api", headers=headers, trust_env=False).status_code == HTTPStatus.UNAUTHORIZED

    wait_for("the token to count no more", is_refused)


def _watchers(url: str, wanted: int) -> int:
    """Streams that the server has open, once they have settled."""
    found = -1
    for _ in range(100):
        text = httpx.get(f"{url}/metrics", trust_env=False).text
        lines = [line for line in text.splitlines() if line.startswith("apiserver_registered_watchers")]
        found = sum(round(float(line.split()[-1])) for line in lines)
        if found == wanted:
            break
    return found
