"""The libraries over TLS: whom they trust and who they are stands in a kubeconfig, as a token or as a certificate."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import kr8s
import lightkube
import pytest
from kr8s._async_utils import as_sync_func
from kr8s.objects import new_class
from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException

from apiserver.client.config import Tls
from apiserver.client.kubeconfig import write_kubeconfig
from tests.certificates import TestAuthority
from tests.clients.bodies import API_VERSION, GROUP, PLURAL, VERSION, task
from tests.clients.objects import Tasks
from tests.clients.operators import Operator
from tests.clients.test_kopf import KEEPER
from tests.clients.test_lightkube import Task
from tests.servers import start_apiserver

TOKEN = "0123456789abcdef"
WHERE = (GROUP, VERSION, "default", PLURAL)


@dataclass
class Site:
    """A server that asks who is there, and kubeconfigs for it."""

    url: str
    authority: TestAuthority
    folder: Path

    def kubeconfig(self, name: str, *, token: str = "", certificate: str = "") -> Path:
        """For somebody with a token, or whose name a certificate says."""
        path, tls = self.folder / name, Tls(ca=self.authority.file)
        if certificate:
            files = self.authority.client(certificate)
            tls = replace(tls, certificate=files.certificate, key=files.key)
        write_kubeconfig(path, self.url, token, tls=tls)
        return path

    def maker(self, name: str) -> str:
        """Who made a task, by the server's word."""
        with self.http() as http:
            path = f"/apis/{API_VERSION}/namespaces/default/tasks/{name}/history"
            changes: list[dict[str, Any]] = http.get(path).raise_for_status().json()["items"]
        return str(changes[-1]["user"])

    def http(self) -> httpx.Client:
        return self.authority.http(self.url, token=TOKEN)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("clients-tls")
    authority = TestAuthority(folder / "tls")
    tokens = folder / "tokens"
    tokens.write_text(f"{TOKEN},bob\n")
    with start_apiserver(folder / "data", *authority.server_flags(), "--token-file", str(tokens)) as url:
        yield Site(url, authority, folder)


def by_kubernetes(kubeconfig: Path, name: str) -> None:
    with config.new_client_from_config(str(kubeconfig)) as api:
        objects = client.CustomObjectsApi(api)
        objects.create_namespaced_custom_object(*WHERE, task(name))
        watcher = watch.Watch()
        listed = objects.list_namespaced_custom_object
        for event in watcher.stream(listed, *WHERE, timeout_seconds=20, field_selector=f"metadata.name={name}"):
            assert event["type"] == "ADDED"
            watcher.stop()


def by_lightkube(kubeconfig: Path, name: str) -> None:
    with lightkube.Client(lightkube.KubeConfig.from_file(kubeconfig)) as found:
        found.create(Task(task(name)))
        assert next(iter(found.watch(Task, fields={"metadata.name": name})))[0] == "ADDED"


def by_kr8s(kubeconfig: Path, name: str) -> None:
    api = kr8s.api(kubeconfig=str(kubeconfig))
    new_class("Task", version=API_VERSION, asyncio=False)(task(name), api=api).create()
    assert [one.name for one in api.get("tasks", name)] == [name]
    close = as_sync_func(api._session.aclose)
    close()


@pytest.mark.parametrize("use", [by_kubernetes, by_lightkube, by_kr8s], ids=lambda use: use.__name__)
def test_a_kubeconfig_says_who_asks(site: Site, use: Callable[[Path, str], None]) -> None:
    name = use.__name__.replace("_", "-")
    use(site.kubeconfig(f"{name}-token", token=TOKEN), f"{name}-token")
    use(site.kubeconfig(f"{name}-certificate", certificate="ann"), f"{name}-certificate")
    assert (site.maker(f"{name}-token"), site.maker(f"{name}-certificate")) == ("bob", "ann")


def test_a_wrong_token_is_unauthorized(site: Site) -> None:
    with config.new_client_from_config(str(site.kubeconfig("wrong", token="wrong"))) as api:
        with pytest.raises(ApiException) as refused:
            client.CustomObjectsApi(api).list_namespaced_custom_object(*WHERE)
        assert (refused.value.status, "Unauthorized" in (refused.value.body or "")) == (401, True)


def test_an_operator_of_all_namespaces_with_a_token(site: Site, tmp_path: Path) -> None:
    operator = Operator(KEEPER, site.kubeconfig("operator", token=TOKEN), "", tmp_path)
    with operator.running(), site.http() as http:
        tasks = Tasks(http, "default")
        tasks.create(task("kept"))
        assert tasks.wait_for_status("kept", "made")["keeper"] == {"knows": "kept"}
