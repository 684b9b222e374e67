"""A browser a module, a context a test. Whatever a page complains about fails the test that did not expect it; of a
test that fails a picture of every page is kept in its ``tmp_path``."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.chromium import is_required, launched, missing
from tests.browser.inspection.inspect import prepare
from tests.browser.looks import Look
from tests.browser.trouble import Trouble

TRACES = bool(os.environ.get("PLUM_BROWSER_TRACES"))
"""Whether traces are made, of which those of failed tests are kept: they take as much time again."""

SECONDS = 15.0
"""How long a page may take to show what is waited for, on a busy machine."""

expect.set_options(timeout=SECONDS * 1000)


@dataclass
class User:
    """Somebody before a browser with a page open."""

    look: Look
    page: Page
    context: BrowserContext
    trouble: Trouble

    @property
    def is_chinese(self) -> bool:
        """Which language they read."""
        return self.look.language == "zh"


Visit = Callable[[str, Look], User]
"""Comes to a server's address with a look."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what this machine cannot do, or fail it where that is asked."""
    reason = missing()
    here = Path(__file__).parent
    for item in items:
        if reason and here in item.path.parents:
            assert not is_required(), reason
            item.add_marker(pytest.mark.skip(reason=reason))


# Not of the session: while Playwright runs, its event loop is the thread's, and asynchronous tests cannot have one.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Let fixtures know how the test went."""
    report = yield
    item.stash.setdefault(REPORTS, {})[call.when] = report.failed  # type: ignore[attr-defined]
    return report


REPORTS = pytest.StashKey[dict[str, bool]]()


@pytest.fixture
def visit(browser: Browser, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Visit]:
    """Come to a server as a user with a look; each call is another user."""
    users: list[User] = []
    with ExitStack() as stack:

        def come(url: str, look: Look) -> User:
            context = look.context(browser, url)
            stack.callback(context.close)
            context.set_default_timeout(SECONDS * 1000)
            if TRACES:
                context.tracing.start(screenshots=True, snapshots=True)
            trouble = Trouble(url)
            trouble.listen(context)
            prepare(context)
            users.append(User(look, context.new_page(), context, trouble))
            return users[-1]

        yield come
        failed = any(request.node.stash.get(REPORTS, {}).values())
        complaints = [text for user in users for text in user.trouble.unexpected()]
        for number, user in enumerate(users):
            _keep(user, tmp_path / f"user-{number}" if failed or complaints else None)
    assert not complaints or failed, "\n".join(complaints)


def _keep(user: User, directory: Path | None) -> None:
    """The pictures and the trace, or nothing."""
    if directory is None:
        return
    directory.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(user.context.pages):
        page.screenshot(path=directory / f"page-{number}.png")
    if TRACES:
        user.context.tracing.stop(path=directory / "trace.zip")
    (directory / "complaints.txt").write_text("\n".join(user.trouble.seen), encoding="utf-8")
    print(f"pictures: {directory}")
