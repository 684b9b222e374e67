"""Requests that nobody should send: each operation of the document answers them, in time, and as it says."""

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers import start_apiserver

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "unsupported_method",
)
SECONDS = 10.0
EXAMPLES = os.environ.get("PLUM_FUZZ_EXAMPLES", "")
"""Requests that the fuzzer tries for each operation, in a long run."""

MANY = b"x" * 65536


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with start_apiserver(tmp_path_factory.mktemp("hostile") / "data") as url:
        yield url


def test_whatever_the_document_lets_a_fuzzer_think_of_is_answered_as_documented(hostile: str, tmp_path: Path) -> None:
    fuzzer = Path(sys.executable).with_name("schemathesis")
    command = [str(fuzzer), "run", f"{hostile}/swagger/openapi.json", "--exclude-path", "/v1/stream", "--no-color"]
    command += ["--checks", ",".join(CHECKS), "--request-timeout", str(SECONDS), "--warnings", "off", "--no-shrink"]
    if EXAMPLES:  # a lookup may be asked to wait for five minutes, and then it does
        (tmp_path / "schemathesis.toml").write_text("[parameters]\ntimeoutSeconds = 1\n")
    # The same requests each time; in a long run others, and many.
    command += ["--max-examples", EXAMPLES] if EXAMPLES else ["--max-examples", "8", "--generation-deterministic"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


def operations(url: str) -> Iterator[tuple[str, str, set[int]]]:
    document = httpx.get(f"{url}/swagger/openapi.json", trust_env=False).json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path.replace("{id}", "some-id"), {int(code) for code in operation["responses"]}


DEEP: Any = "[" * 5000 + "]" * 5000
BODIES = [
    b"",
    b"null",
    b"[]",
    b"7",
    b"{",
    b'{"a":1}}',
    b"\xff\xfe{}",
    DEEP.encode(),
    b'{"name":NaN}',
    b'{"nodeId":1,"name":2,"desired":3,"instanceId":4,"phase":5,"labels":6}',
    b'{"nodeId":["a"],"name":{},"desired":[],"instanceId":{},"phase":true,"labels":"a"}',
    b'{"nodeId":"\\u0000\\u001f","name":"\\u0000","desired":"\\u0007","instanceId":"\\n","phase":"\\r"}',
    b'{"nodeId":"\\ud800","name":"\\udfff","desired":"\\ud800","instanceId":"\\ud800","phase":"\\ud800"}',
    b'{"name":"a","entries":[{"artifactUrl":"/x","replicas":{"n":-1}}]}',
    b'{"name":"a","entries":[{"artifactUrl":"/x","replicas":{"n":99999999999999999999999999}}]}',
    b'{"name":"a","entries":[{"artifactUrl":"/x","replicas":{"n":1.5}}]}',
    b'{"name":"a","entries":[{"artifactUrl":"http://[::1","replicas":{"n":1}}]}',
    b'{"name":"a","entries":[{"artifactUrl":"ftp://x/y","replicas":{"n":1}}]}',
    b'{"name":"a","entries":[{"artifactUrl":"/x","replicas":{"../n":1}}]}',
    b'{"name":"a","labels":{"a b":"c"},"entries":[{"artifactUrl":"/x","replicas":{"n":1}}]}',
    b'{"name":"a","entries":[' + b",".join([b'{"artifactUrl":"/x","replicas":{"n":1}}'] * 65) + b"]}",
    b'{"instanceId":"x","phase":"Running","exitCode":1e400,"tsUnix":-1}',
    b'{"instanceId":"x","phase":"Running","exitCode":99999999999999999999,"tsUnix":99999999999999999999}',
    b'{"instanceId":"a","nodeId":"n","ip":"a b","endpoints":[{"serviceName":"s","port":1}]}',
    b'{"instanceId":"a","nodeId":"n","ip":"1.1.1.1","endpoints":[{"serviceName":"s","port":0}]}',
    b'{"instanceId":"a","nodeId":"n","ip":"1.1.1.1","endpoints":[{"serviceName":"s","port":65536}]}',
    b'{"instanceId":"a","nodeId":"n","ip":"1.1.1.1","endpoints":[{"serviceName":"' + b"s" * 4000 + b'","port":1}]}',
    b'{"nodeId":"' + b"n" * 100_000 + b'"}',
]


def test_no_body_is_too_bad_to_be_answered(hostile: str) -> None:
    with httpx.Client(base_url=hostile, trust_env=False, timeout=SECONDS) as client:
        for method, path, codes in operations(hostile):
            if method in ("POST", "PATCH"):
                for body in BODIES:
                    reply = client.request(method, path, content=body)
                    assert reply.status_code in codes - {500, 503, 504}, (method, path, body[:100], reply.text)


QUERIES = [
    "limit=-1",
    "limit=99999999999999999999",
    "limit=1.5",
    "limit=%00",
    "nodeId=%00%0a%0d",
    "nodeId=a&nodeId=b&limit=",
    "service=%ff%fe&strategy=hash&hashKey=%00",
    "service=s&strategy=nix",
    "service=s&resourceVersion=-1",
    "service=s&resourceVersion=99999999999999999999999",
    "service=s&resourceVersion=9007199254740992",
    "service=s&timeoutSeconds=99999",
    "instanceId=%00",
    "namespace=%2e%2e%2f&service=s",
    "&&&===&%",
    "nodeId=" + "n" * 30_000,
]


def test_no_query_is_too_bad_to_be_answered(hostile: str) -> None:
    with httpx.Client(base_url=hostile, trust_env=False, timeout=SECONDS) as client:
        for method, path, codes in operations(hostile):
            if method in ("GET", "DELETE") and path != "/v1/stream":
                for query in QUERIES:
                    reply = client.request(method, f"{path}?{query}")
                    assert reply.status_code in codes - {500, 503, 504}, (method, path, query[:100], reply.text)


@pytest.mark.parametrize("id", ["%00", "%0a", "..%2f..", "%ff", "a" * 5000, "%F0%9F%98%80", "a.b.c", "'; drop"])
def test_no_id_is_too_bad_to_be_answered(hostile: str, id: str) -> None:
    with httpx.Client(base_url=hostile, trust_env=False, timeout=SECONDS) as client:
        for method, path, codes in operations(hostile):
            if path.endswith("some-id"):
                reply = client.request(method, path.replace("some-id", id), content=json.dumps({"desired": "Running"}))
                # A slash in it makes it another path, and of no operation.
                assert reply.status_code in (codes | {404}) - {500, 503, 504}, (method, path, id, reply.text)


@pytest.mark.parametrize("path", ["/v1/tasks", "/v1/nodes/heartbeat", "/v1/services/register", "/v1/instances/status"])
@pytest.mark.parametrize("declared", [True, False])
def test_a_body_of_50_mb_is_refused_before_it_is_taken(hostile: str, path: str, declared: bool) -> None:
    host, port = hostile.removeprefix("http://").split(":")
    head = f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\n"
    head += f"Content-Length: {50 << 20}\r\n\r\n" if declared else "Transfer-Encoding: chunked\r\n\r\n"
    piece = MANY if declared else b"%x\r\n%b\r\n" % (len(MANY), MANY)
    with socket.create_connection((host, int(port)), SECONDS) as connection:
        connection.sendall(head.encode())
        sent = 0
        # Whoever goes on sending to a closed connection may lose the answer: just over the limit it is waited for.
        while not declared and sent <= (3 << 20) + 2 * len(piece):
            connection.sendall(piece)
            sent += len(piece)
        assert select.select([connection], [], [], SECONDS)[0], "no answer: it waits for more"
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413 "), answer[:200]
    assert httpx.get(f"{hostile}/readyz", trust_env=False).is_success
