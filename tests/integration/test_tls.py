"""A server over TLS: who asks is known by certificate or by token, on one port; and kubectl, which sends either."""

import os
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from apiserver.api.errors import ServiceUnavailable
from apiserver.api.kinds.namespace import Namespace
from apiserver.client.config import Config, Tls
from apiserver.client.kubeconfig import write_kubeconfig
from apiserver.client.rest import RestClient
from plumctl.certificates import Wanted
from tests.certificates import TestAuthority
from tests.e2e.cluster import wait_for
from tests.integration.test_resources import TASKS, create, expect
from tests.servers import running_apiserver

TOKEN = "0123456789abcdef"
BOB = f'{TOKEN},bob,u1,"dev,ops"\n'


@dataclass
class Site:
    """A server that asks who is there."""

    url: str
    authority: TestAuthority
    tokens: Path
    log: Path

    def user(self, name: str, *, certificate: str = "", token: str = "") -> str:
        """Who is said to have made an object."""
        client = self.authority.client(certificate, "dev") if certificate else None
        with self.authority.http(self.url, client, token) as http:
            create(http, name)
            (change,) = http.get(f"{TASKS}/{name}/history").json()["items"]
            return str(change["user"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("secured")
    authority = TestAuthority(folder / "tls")
    tokens = folder / "tokens"
    tokens.write_text(BOB)
    flags = [*authority.server_flags(), "--token-file", str(tokens)]
    with running_apiserver(folder / "data", *flags) as (_, url):
        yield Site(url, authority, tokens, folder / "data" / "server.log")


def test_a_certificate_or_a_token_says_who_asks_and_the_certificate_counts_first(site: Site) -> None:
    assert site.url.startswith("https://127.0.0.1:")
    assert site.user("by-certificate", certificate="ann") == "ann"
    assert site.user("by-token", token=TOKEN) == "bob"
    assert site.user("by-both", certificate="ann", token=TOKEN) == "ann"


def test_neither_is_refused_but_where_anybody_may_look(site: Site) -> None:
    with site.authority.http(site.url) as http:
        expect(http.get(TASKS), 401, "Unauthorized", "bearer token")
        expect(http.get(TASKS, headers={"authorization": "Bearer wrong"}), 401, "Unauthorized")
        for path in ("/healthz", "/version", "/version/"):
            assert http.get(path).status_code == 200
    nobody = site.authority.issue("nobody", Wanted("ann\nbob"))
    with site.authority.http(site.url, nobody) as http:
        expect(http.get(TASKS), 401, "Unauthorized", "cannot be printed")


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}])
def test_a_foreign_web_page_cannot_use_the_certificate_of_a_browser(site: Site, headers: dict[str, str]) -> None:
    with site.authority.http(site.url, site.authority.client("ann")) as http:
        expect(http.get(TASKS, headers=headers), 403, "Forbidden", "other web pages")
        assert http.get(TASKS, headers={"origin": "http://localhost:5173"}).status_code == 200, "the web UI may"
    with site.authority.http(site.url, token=TOKEN) as http:
        assert http.get(TASKS, headers=headers).status_code == 200, "a token is not sent by itself"


def test_a_certificate_with_many_groups_is_one_user(site: Site) -> None:
    many = site.authority.issue("many", Wanted("carl", tuple(f"group-{number}" for number in range(500))))
    with site.authority.http(site.url, many) as http:
        assert http.get(TASKS).status_code == 200


def test_the_wrong_authority_is_believed_on_neither_side(site: Site, tmp_path: Path) -> None:
    other = TestAuthority(tmp_path)
    with other.http(site.url) as http, pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        http.get("/version")
    foreign = other.client("ann")
    with site.authority.http(site.url, foreign) as http, pytest.raises(httpx.TransportError):
        http.get("/version")


def test_whoever_speaks_no_tls_is_cut_off_and_others_are_served(site: Site) -> None:
    address = ("127.0.0.1", urlsplit(site.url).port or 0)
    for sent in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\0" * 100, os.urandom(200)):
        with socket.create_connection(address, 10) as connection:
            connection.sendall(sent)
            try:
                while connection.recv(4096):
                    pass
            except ConnectionError:
                pass
    with site.authority.http(site.url) as http:
        assert http.get("/healthz").text == "ok"
    assert "Traceback" not in site.log.read_text()


async def test_our_client_shows_a_certificate_and_watches(site: Site) -> None:
    files = site.authority.client("ann")
    config = Config(site.url, tls=Tls(site.authority.file, files.certificate, files.key))
    async with RestClient(config, manager="test") as client:
        page = await client.list(Namespace)
        watch = client.watch(Namespace, resource_version=page.resource_version, timeout=20)
        await client.apply(Namespace, "watched", {})
        async for event in watch:
            if event.object is not None and event.object.metadata.name == "watched":
                break
        await watch.aclose()
    insecure = replace(config, tls=replace(config.tls, ca=None, insecure=True))
    for good in (insecure, replace(config, tls=replace(config.tls, server_name="localhost"))):
        async with RestClient(good, manager="test") as client:
            assert (await client.get(Namespace, "default")).metadata.name == "default"
    for bad in (replace(config, tls=Tls()), replace(config, tls=replace(config.tls, server_name="elsewhere"))):
        async with RestClient(bad, manager="test") as client:
            with pytest.raises(ServiceUnavailable, match=r"CERTIFICATE_VERIFY_FAILED.*--ca-file, PLUM_CA_FILE"):
                await client.apply(Namespace, "never", {})


def test_replaced_certificates_and_tokens_count_without_a_restart(site: Site) -> None:
    def serial() -> bytes:
        host, _, port = site.url.removeprefix("https://").rpartition(":")
        return ssl.get_server_certificate((host, int(port))).encode()

    def status(token: str) -> int:
        with site.authority.http(site.url, token=token) as http:
            return http.get(TASKS).status_code

    before = serial()
    with site.authority.http(site.url, token=TOKEN) as kept:
        assert kept.get(TASKS).status_code == 200
        new = site.authority.server()
        site.tokens.write_text(f"{BOB}fedcba9876543210,dora\n")
        wait_for("the new certificate", lambda: serial() == new.certificate.read_bytes() != before)
        wait_for("the new token", lambda: status("fedcba9876543210") == 200)
        assert kept.get(TASKS).status_code == 200, "open connections stay"
    site.tokens.write_text("broken")
    assert status(TOKEN) == 200


def test_the_original_s_api_is_served_over_tls_too(site: Site) -> None:
    with site.authority.http(site.url, token=TOKEN) as http:
        beat = {"nodeId": "old", "ip": "127.0.0.1"}
        assert http.post("/v1/nodes/heartbeat", json=beat).json() == {"ttlSec": 15}
        assert [node["nodeId"] for node in http.get("/v1/nodes").json()] == ["old"]
    with site.authority.http(site.url) as http:
        refused = http.get("/v1/nodes")
        assert (refused.status_code, refused.headers["content-type"]) == (401, "text/plain; charset=utf-8")


def test_an_agent_registers_with_a_token_and_the_authority(site: Site, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    command = [sys.executable, "-m", "agent", "--server", site.url, "--node", "secured", "--data-dir", str(tmp_path)]
    command += ["--token-file", str(tmp_path / "token"), "--ca-file", str(site.authority.file), "--until-eof"]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as agent,
        site.authority.http(site.url, token=TOKEN) as http,
    ):
        try:
            wait_for("the node", lambda: http.get("/apis/plum.dev/v1/nodes/secured").is_success)
            assert agent.stdin
            agent.stdin.close()
            assert agent.wait(30) == 0
        finally:
            agent.kill()


TASK = """{"apiVersion": "plum.dev/v1", "kind": "Task", "metadata": {"name": "%s"},
 "spec": {"entries": [{"app": {"name": "a", "version": "1"}, "replicas": 0}]}}"""


@pytest.mark.skipif(not shutil.which("kubectl"), reason="needs kubectl")
@pytest.mark.parametrize("how", ["token", "certificate"])
def test_kubectl_sends_what_the_kubeconfig_has(site: Site, tmp_path: Path, how: str) -> None:
    files = site.authority.client("ann", "dev")
    tls = Tls(site.authority.file, *((files.certificate, files.key) if how == "certificate" else ()))
    write_kubeconfig(tmp_path / "config", site.url, TOKEN if how == "token" else "", user="me", tls=tls)
    environ = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "KUBECONFIG": str(tmp_path / "config")}

    def kubectl(*args: str, stdin: str = "") -> str:
        command = ["kubectl", *args]
        found = subprocess.run(command, env=environ, input=stdin.encode(), capture_output=True, timeout=60, check=False)
        assert found.returncode == 0, found.stderr
        return found.stdout.decode()

    assert "default" in kubectl("get", "namespaces")
    who = {line.split()[0]: line.split(maxsplit=1)[1] for line in kubectl("auth", "whoami").splitlines()}
    by_token = {"Username": "bob", "UID": "u1", "Groups": "[dev ops system:authenticated]"}
    by_certificate = {"Username": "ann", "Groups": "[dev system:authenticated]"}
    assert {**who, "ATTRIBUTE": ""} == {"ATTRIBUTE": ""} | (by_token if how == "token" else by_certificate)
    name = f"kubectl-{how}"
    kubectl("apply", "-f", "-", stdin=TASK % name)
    with site.authority.http(site.url, token=TOKEN) as http:
        changes = http.get(f"{TASKS}/{name}/history").json()["items"]
        assert {change["user"] for change in changes} == {"ann" if how == "certificate" else "bob"}
