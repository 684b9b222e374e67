"""Where kubectl of an age that Plum promises is missing these tests are skipped, or fail if it is required."""

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from functools import cache
from itertools import count

import httpx
import pytest

from tests.kubectl.program import Kubectl, why_not
from tests.kubectl.room import Room, Stage
from tests.kubectl.scope import TRANSPORTS
from tests.kubectl.transports import USERS, reached

NUMBERS = count(1)

missing = cache(why_not)


@pytest.fixture(autouse=True, scope="session")
def required() -> None:
    if reason := missing():
        if os.environ.get("PLUM_REQUIRE_KUBECTL"):
            pytest.fail(reason)
        pytest.skip(f"{reason}; with PLUM_REQUIRE_KUBECTL=1 this is a failure")


@pytest.fixture(scope="session", params=TRANSPORTS)
def stage(required: None, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A cluster of two nodes, reached in one of the ways."""
    folder = tmp_path_factory.mktemp(f"cluster-{request.param}")
    with reached(folder, request.param) as (cluster, kubectl, http):
        yield Stage(cluster, kubectl, http, USERS[request.param], uploaded(http))


def uploaded(http: httpx.Client) -> str:
    """The digest of an app that does nothing of itself."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("meta.ini", "name=idle\nversion=1\n")
        archive.writestr("start.sh", "#!/bin/sh\nexec sleep 1000\n")
    digest = hashlib.sha256(made.getvalue()).hexdigest()
    http.put(f"/artifacts/sha256/{digest}", content=made.getvalue()).raise_for_status()
    return digest


@pytest.fixture
def kubectl(stage: Stage) -> Kubectl:
    """In no namespace of its own, for questions that change nothing."""
    return stage.kubectl


@pytest.fixture
def room(stage: Stage) -> Iterator[Room]:
    """A namespace for the test, emptied after it."""
    made = stage.room(f"room-{next(NUMBERS)}")
    yield made
    made.leave()
