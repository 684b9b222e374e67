"""One server for all tests of a worker, a kubeconfig for it, and a namespace for each test."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from apiserver.client.kubeconfig import write_kubeconfig
from tests.e2e.cluster import wait_for
from tests.servers import start_apiserver


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """It remembers few changes, so that a test can make it forget."""
    limits = ("--history-changes", "1000", "--history-bytes", str(1 << 20))
    with start_apiserver(tmp_path_factory.mktemp("clients") / "data", *limits) as url:
        yield url


@pytest.fixture(scope="session")
def kubeconfig(server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as ``plumctl up`` writes one."""
    path = tmp_path_factory.mktemp("kube") / "config"
    write_kubeconfig(path, server)
    return path


@pytest.fixture(scope="session")
def make_namespace(server: str) -> Callable[[], str]:
    """Makes a new one at each call."""

    def make() -> str:
        name = f"n-{uuid.uuid4().hex[:10]}"
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        httpx.post(f"{server}/api/v1/namespaces", json=body, trust_env=False).raise_for_status()
        return name

    return make


@pytest.fixture
def namespace(make_namespace: Callable[[], str]) -> str:
    """A new one."""
    return make_namespace()


@pytest.fixture(scope="session")
def forgotten(server: str) -> str:
    """A version that the server can no longer watch from."""
    url = f"{server}/api/v1/namespaces"
    with httpx.Client(trust_env=False) as http:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "filler"}}
        version = str(http.post(url, json=body).raise_for_status().json()["metadata"]["resourceVersion"])
        query = {"watch": "poll", "resourceVersion": version, "timeoutSeconds": "1"}
        wait_for("the end of its memory", lambda: _filled(http, url) and http.get(url, params=query).status_code == 410)
    return version


def _filled(http: httpx.Client, url: str) -> bool:
    """Write a fifth of what the server remembers."""
    filler = {"metadata": {"annotations": {"filler": uuid.uuid4().hex * 6_000}}}
    headers = {"content-type": "application/merge-patch+json"}
    return http.patch(f"{url}/filler", json=filler, headers=headers).is_success
