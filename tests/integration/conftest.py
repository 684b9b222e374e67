"""One real server for the module, and a plain HTTP client for it."""

from collections.abc import Iterator

import httpx
import pytest

from tests.servers import start_apiserver


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with start_apiserver(tmp_path_factory.mktemp("data")) as url:
        yield url


@pytest.fixture
def http(server: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server, trust_env=False, timeout=10) as client:
        yield client
