"""How a cluster is reached: over HTTP by nobody, or over TLS by somebody with a token."""

import base64
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import httpx
import yaml

from tests.e2e.cluster import Cluster, running_cluster
from tests.kubectl.program import Kubectl

Transport = Literal["http", "tls"]
TOKEN = "3c1f0b2e9a7d4865"
USERS: dict[Transport, str] = {"http": "system:anonymous", "tls": "ann"}


@contextmanager
def reached(folder: Path, transport: Transport) -> Iterator[tuple[Cluster, Kubectl, httpx.Client]]:
    """A running cluster, kubectl for it, and a client for what is not under test."""
    tokens = folder / "tokens"
    tokens.write_text(f'{TOKEN},{USERS["tls"]},u-17,"dev,ops"\n')
    flags = ("--tls", "--token-file", str(tokens)) if transport == "tls" else ()
    with running_cluster(folder / "data", *flags) as cluster:
        path = Path(cluster.environ["KUBECONFIG"])
        trust = with_token(path, folder / "kubeconfig") if transport == "tls" else False
        kubeconfig = folder / "kubeconfig" if transport == "tls" else path
        headers = {"authorization": f"Bearer {TOKEN}"} if transport == "tls" else {}
        with httpx.Client(base_url=cluster.url, verify=trust, headers=headers, trust_env=False, timeout=10) as http:
            yield cluster, Kubectl(folder / "home", variables={"KUBECONFIG": str(kubeconfig)}), http


def with_token(given: Path, made: Path) -> ssl.SSLContext:
    """Write a kubeconfig of the same cluster whose user has a token and no certificate; whom it trusts."""
    config = yaml.safe_load(given.read_text())
    for user in config["users"]:
        user["user"] = {"token": TOKEN}
    made.write_text(yaml.safe_dump(config))
    authority = base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"])
    return ssl.create_default_context(cadata=authority.decode())
