"""Ways about the UI that all stories share, by what people see: names of links, fields and states."""

import re
from urllib.parse import quote

from playwright.sync_api import Locator, Page, expect

from tests.browser.texts import Texts

LOOK_SECONDS = 15.0


def go(page: Page, say: Texts, name: str) -> None:
    """By the navigation, to one of the pages there."""
    page.get_by_role("navigation").get_by_role("link", name=say(f"shell.nav.{name}")).click()


def heading(page: Page) -> Locator:
    """The title of the page."""
    return page.get_by_role("heading", level=1)


def connection(page: Page) -> Locator:
    """The note that says whether what is shown is live."""
    return page.locator(".connection:visible")


def row(page: Page, name: str) -> Locator:
    """The row of a table about an object."""
    return page.get_by_role("row").filter(has=page.get_by_label(name, exact=True))


def state_of(where: Locator | Page) -> Locator:
    """The states that are shown there: colour, icon and word."""
    return where.locator("[data-level]")


def shows_state(where: Locator | Page, say: Texts, key: str, seconds: float = LOOK_SECONDS) -> None:
    """Wait until the first state there is this one."""
    expect(state_of(where).first).to_have_text(re.compile(re.escape(say(key))), timeout=seconds * 1000)


def task_path(name: str) -> str:
    """The address of a task's page."""
    return f"/tasks/{quote(name)}"
