"""Where kubectl of an age that Plum promises is missing these tests are skipped, or fail if it is required."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.kubectl.program import Kubectl, why_not
from tests.servers import start_apiserver

why_not = cache(why_not)


@pytest.fixture(autouse=True)
def required() -> None:
    if reason := why_not():
        if os.environ.get("PLUM_REQUIRE_KUBECTL"):
            pytest.fail(reason)
        pytest.skip(f"{reason}; with PLUM_REQUIRE_KUBECTL=1 this is a failure")


@pytest.fixture(scope="session")
def kubectl_of_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """For a server alone: nothing moves there but what the test does."""
    folder = tmp_path_factory.mktemp("kubectl")
    with start_apiserver(folder / "server") as url:
        yield Kubectl(folder / "home", ("--server", url))


@pytest.fixture
def alone(kubectl_of_server: Kubectl, tmp_path: Path) -> Kubectl:
    return kubectl_of_server
