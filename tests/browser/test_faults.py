"""What goes wrong most often: from Overview, where it stands first and in words, it is at most three clicks to the
sentence of the server or the agent that names the cause."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import User, Visit
from tests.browser.looks import EN_DARK, EN_LIGHT, ZH_DARK, ZH_LIGHT, Look
from tests.browser.pages import task_path
from tests.browser.texts import Texts
from tests.browser.worlds import faults
from tests.browser.worlds.door import open_door
from tests.browser.worlds.faults import Fault
from tests.e2e.cluster import running_cluster

MOST_CLICKS = 3
SOON = 20_000
"""Milliseconds a fault takes to show: a probe fails three times, a process ends a few times."""

CASES = (
    (faults.NO_ARTIFACT, "detail.ArtifactNotFound"),
    (faults.CRASH_LOOP, "again.code"),
    (faults.NEVER_READY, "detail.ProbeFailed"),
    (faults.NO_ROOM, "detail.PortTaken"),
    (faults.LOST, "detail.NodeSilent"),
)
"""Faults, and what Overview says of each."""

ALL_LOOKS = bool(os.environ.get("PLUM_SOAK_UI"))
LOOKS = (EN_LIGHT, ZH_DARK, EN_DARK, ZH_LIGHT)
CHOSEN = [
    pytest.param(look, *case, id=f"{case[0].task}-{look}")
    for number, case in enumerate(CASES)
    for look in (LOOKS if ALL_LOOKS else LOOKS[number % 2 : number % 2 + 1])
]
"""In a soak every fault with every look, else each with one."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("faults")
    with running_cluster(directory / "cluster") as cluster, open_door(cluster.url) as door:
        faults.fill(door)
        with faults.lost_node(door, directory / "lost"):
            yield cluster.url


@dataclass
class Mouse:
    """Clicks, and counts them."""

    clicks: int = 0

    def click(self, what: Locator) -> None:
        what.click()
        self.clicks += 1


@pytest.mark.parametrize(("look", "fault", "reason"), CHOSEN)
def test_a_fault_is_three_clicks_away(url: str, visit: Visit, look: Look, fault: Fault, reason: str) -> None:
    user, say, mouse = visit(url, look), Texts(look.language), Mouse()
    page = user.page
    page.goto("/")
    entry = page.locator(f'[data-attention="Task/default/{fault.task}"]')
    cause = say.pattern(f"words.{reason}")
    expect(entry).to_contain_text(cause, timeout=SOON)
    mouse.click(entry)
    expect(page).to_have_url(f"{url}{task_path(fault.task)}")
    expect(page.get_by_text(cause).first).to_be_visible()
    _unfold(user, mouse, fault.sentence)
    expect(_said(page, fault.sentence)).to_be_visible()
    print(f"{fault.task}: {mouse.clicks} clicks to “{_said(page, fault.sentence).inner_text()[:120]}”")
    assert mouse.clicks <= MOST_CLICKS


def _unfold(user: User, mouse: Mouse, sentence: str) -> None:
    """Open what the server said, if it stands folded under our words."""
    folded = user.page.locator("details").filter(has_text=sentence)
    if not _said(user.page, sentence).is_visible() and folded.count():
        mouse.click(folded.first.locator("summary"))


def _said(page: Page, sentence: str) -> Locator:
    return page.get_by_text(sentence).filter(visible=True).first
