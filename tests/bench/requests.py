"""Ready-made requests: the same object to both servers."""

import itertools
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import orjson

from tests.bench.load import Address, Client

ASSIGNMENTS = "/apis/plum.dev/v1/namespaces/default/assignments"
NODES = 100
NAME = "web-main-{:08d}"
_NUMBER, _NODE = b"%NUMBER%", b"%NODE%"


def http(method: str, path: str, body: bytes = b"", media_type: str = "application/json") -> bytes:
    """One request as it goes over the wire, with the headers that our own client sends."""
    head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\naccept-encoding: identity\r\n"
    head += "connection: keep-alive\r\nuser-agent: bench/plum\r\n"
    if body:
        head += f"content-length: {len(body)}\r\ncontent-type: {media_type}\r\n"
    return head.encode() + b"\r\n" + body


def _assignment() -> dict[str, Any]:
    template = {
        "artifactUrl": "/artifacts/sha256/" + "a" * 64,
        "sha256": "a" * 64,
        "appName": "web",
        "appVersion": "1.0.0",
        "startCmd": "exec ./serve --verbose",
        "env": [{"name": f"SETTING_{n}", "value": "some value"} for n in range(4)],
        "ports": [{"name": "http"}],
    }
    spec = {"taskName": "web", "entry": "main", "ordinal": 0, "nodeName": "%NODE%"}
    return {
        "apiVersion": "plum.dev/v1",
        "kind": "Assignment",
        "metadata": {"name": "web-main-%NUMBER%", "labels": {"plum.dev/task": "web", "plum.dev/entry": "main"}},
        "spec": spec | {"template": template, "templateHash": "abcdefgh"},
    }


_BODY = orjson.dumps(_assignment())


def assignment(number: int, node: int = 0) -> bytes:
    """A realistic assignment, on node ``node``."""
    return _BODY.replace(_NUMBER, b"%08d" % number).replace(_NODE, b"node%05d" % node)


def create(number: int, node: int = 0) -> bytes:
    """The request that creates it here."""
    return http("POST", ASSIGNMENTS, assignment(number, node))


def creates(first: int = 0) -> Iterator[bytes]:
    """Without end, spread over some nodes."""
    return (create(number, number % NODES) for number in itertools.count(first))


def stored_bytes(address: Address, number: int) -> int:
    """How large one is as the server keeps it, with all that it has added."""
    with Client(address) as client:
        client.request(http("GET", f"{ASSIGNMENTS}/{NAME.format(number)}"))
        return len(client.reply.partition(b"\r\n\r\n")[2])


ETCD_PREFIX = b"/plum/assignments/default/"


def etcd_create(number: int, size: int) -> bytes:
    """The request that creates it in etcd, with as many bytes as we would store: a put under the condition that
    the key is not there."""
    key = b64encode(ETCD_PREFIX + NAME.format(number).encode())
    value = b64encode(assignment(number).ljust(size))
    compare = b'{"compare":[{"key":"' + key + b'","target":"CREATE","result":"EQUAL","create_revision":"0"}],'
    return http(
        "POST", "/v3/kv/txn", compare + b'"success":[{"request_put":{"key":"' + key + b'","value":"' + value + b'"}}]}'
    )


def etcd_creates(size: int) -> Iterator[bytes]:
    """Without end."""
    return (etcd_create(number, size) for number in itertools.count())


def etcd_list(limit: int) -> bytes:
    """The request for the first keys with their values."""
    key, end = b64encode(ETCD_PREFIX).decode(), b64encode(ETCD_PREFIX[:-1] + b"0").decode()
    return http("POST", "/v3/kv/range", orjson.dumps({"key": key, "range_end": end, "limit": str(limit)}))
