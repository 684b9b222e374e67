"""The whole way of an app through the UI, against a real server, controllers and agents."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.browser.conftest import Visit
from tests.browser.looks import EN_DARK, EN_LIGHT, ZH_DARK, ZH_LIGHT, Look
from tests.browser.story import Story
from tests.browser.worlds.door import open_door
from tests.e2e.cluster import Cluster, running_cluster, wait_for

ALL_LOOKS = bool(os.environ.get("PLUM_SOAK_UI"))
WHOLE = (EN_LIGHT, ZH_DARK, EN_DARK, ZH_LIGHT) if ALL_LOOKS else (EN_LIGHT, ZH_DARK)
SHORT = () if ALL_LOOKS else (EN_DARK, ZH_LIGHT)

GONE = "ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|answered 50|status of 50"
"""What a browser says of a server that has been killed."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("story")) as found:
        yield found


@pytest.mark.parametrize("look", WHOLE, ids=str)
def test_an_app_from_its_upload_to_its_end(cluster: Cluster, visit: Visit, look: Look, tmp_path: Path) -> None:
    user = visit(cluster.url, look)
    user.trouble.expect(GONE)
    user.trouble.expect("409.*fieldManager=plum-ui")  # its status changed meanwhile: the editor merges, and saves again
    story = Story(user, f"kiosk-{look.language}-{look.theme}")
    story.upload(tmp_path)
    story.create()
    story.read_log()
    story.see_it_crash(lambda instance: _crash(cluster, instance))
    story.scale_by_yaml()
    story.roll_back()
    story.lose_the_server(lambda: _kill_server(cluster))
    story.delete()
    wait_for("the end of all processes", lambda: not cluster.assignments(story.name))


@pytest.mark.parametrize("look", SHORT, ids=str)
def test_an_app_comes_up_and_goes(cluster: Cluster, visit: Visit, look: Look, tmp_path: Path) -> None:
    story = Story(visit(cluster.url, look), f"kiosk-{look.language}-{look.theme}")
    story.upload(tmp_path)
    story.create()
    story.read_log()


def _crash(cluster: Cluster, instance: str) -> None:
    """Have the running process fall over."""
    with open_door(cluster.url) as door:

        def port() -> int | None:
            status = (door.get("assignments", instance) or {}).get("status", {})
            return status["ports"][0]["port"] if status.get("phase") == "Running" and status.get("ports") else None

        def fall() -> bool:
            found = port()
            try:
                return bool(found and httpx.post(f"http://127.0.0.1:{found}/", trust_env=False).is_success)
            except httpx.RemoteProtocolError:
                return True  # it has fallen over instead of answering
            except httpx.TransportError:
                return False  # it does not listen yet

        wait_for("a process that falls over", fall)


def _kill_server(cluster: Cluster) -> None:
    """kill -9; ``up`` starts another one at the same address."""
    for child in psutil.Process(cluster.process.pid).children():
        if "apiserver.server" in child.cmdline():
            child.kill()
