"""One real server for the package and its clients, and the names that tests may use up."""

import itertools
from collections.abc import Iterator

import pytest

from tests.servers import start_apiserver
from tests.v1.archives import app
from tests.v1.client import V1, Apis

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with start_apiserver(tmp_path_factory.mktemp("v1") / "data") as url:
        yield url


@pytest.fixture(scope="package")
def v1(server: str) -> Iterator[V1]:
    with V1(server) as client:
        yield client


@pytest.fixture(scope="package")
def apis(server: str) -> Iterator[Apis]:
    with Apis(server) as client:
        yield client


@pytest.fixture(scope="package")
def artifact(v1: V1) -> str:
    """The URL of an app that sleeps."""
    url: str = v1.upload(app("sleeper")).json()["url"]
    return url


@pytest.fixture
def fresh() -> str:
    """A name that nothing has yet."""
    return f"fresh-{next(_NUMBERS)}"


@pytest.fixture
def node() -> str:
    """A node that has nothing yet."""
    return f"Node_{next(_NUMBERS)}"
