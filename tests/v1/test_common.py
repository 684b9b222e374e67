"""What holds of every request: bytes, errors, methods, other origins, connections."""

import json
import socket
from urllib.parse import urlsplit

import pytest

from tests.servers import start_apiserver
from tests.v1.client import ALSO_VITE, V1, VITE, Apis, Stream
from tests.v1.routes import BODIES, METHODS, ROUTES, path, wrong_fields

ORIGINS = (VITE, ALSO_VITE)
WRONG_METHODS = [(method, route) for route, known in ROUTES.items() for method in METHODS if method not in known]


@pytest.mark.parametrize("method", METHODS)
def test_health(v1: V1, method: str) -> None:
    found = v1.ask(method, "/healthz")
    assert (found.status, found.raw) == (200, b"ok")
    assert found.headers["content-type"].startswith("text/plain")


def test_a_new_server_has_empty_arrays(tmp_path_factory: pytest.TempPathFactory) -> None:
    with start_apiserver(tmp_path_factory.mktemp("empty") / "data") as url, V1(url) as v1:
        for route in ("/v1/nodes", "/v1/apps", "/v1/tasks", "/v1/services/list", "/v1/discovery?service=x"):
            assert v1.ask("GET", route).raw == b"[]\n", route
        assert v1.ask("GET", "/v1/assignments?nodeId=x").raw == b'{"items":[]}\n'


@pytest.mark.parametrize(("method", "route"), WRONG_METHODS)
def test_another_method_is_not_allowed(v1: V1, method: str, route: str) -> None:
    v1.ask(method, path(route)).error(405, "method not allowed")


@pytest.mark.parametrize("where", ["/v1", "/v1/nothing", "/v1/tasks/a/b", "/v1/nodes/a/b", "/v1/apps/a/b", "/v1/Tasks"])
def test_another_path_is_not_found(v1: V1, where: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        v1.ask(method, where).error(404)


@pytest.mark.parametrize("raw", [b"", b"{", b"nonsense", b"[]", b'"text"', b"7", b"null", b"\xff\xfe", b"{} {}"])
@pytest.mark.parametrize(("method", "route"), BODIES)
def test_what_is_no_json_object_is_a_bad_request(v1: V1, method: str, route: str, raw: bytes) -> None:
    name = task_for(v1) if route == "/v1/tasks/{id}" else "nobody"
    found = v1.ask(method, path(route, name), content=raw)
    if found.status != 404 or route != "/v1/assignments/{id}":
        found.error(400, "bad request")


@pytest.mark.parametrize(("method", "route", "field", "value"), wrong_fields())
def test_a_field_of_the_wrong_type_is_a_bad_request(v1: V1, method: str, route: str, field: str, value: object) -> None:
    name = task_for(v1) if route == "/v1/tasks/{id}" else "nobody"
    found = v1.ask(method, path(route, name), json=BODIES[method, route] | {field: value})
    if found.status != 404 or route != "/v1/assignments/{id}":
        text = found.error(400, "bad request")
        assert field in text


def task_for(v1: V1) -> str:
    """A task that surely exists, so that a refusal is about the body."""
    body = {"name": "relabelled", "entries": [{"artifactUrl": "/artifacts/sha256/" + "a" * 64, "replicas": {"n": 0}}]}
    v1.post("/v1/tasks", body)
    return "relabelled"


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_the_content_type_is_not_looked_at(v1: V1, node: str, media_type: str) -> None:
    body = json.dumps({"nodeId": node, "ip": "10.0.0.1", "colour": "red", "nested": {"a": [None]}}).encode()
    headers = {"content-type": media_type} if media_type else {}
    found = v1.ask("POST", "/v1/nodes/heartbeat", content=body, headers=headers)
    assert found.json() == {"ttlSec": 15}


def test_a_huge_body_is_refused(v1: V1, node: str) -> None:
    found = v1.ask("POST", "/v1/nodes/heartbeat", content=b'{"nodeId":"' + b" " * (20 << 20))
    found.error(413)
    assert v1.heartbeat(node).status == 200


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("route", [*ROUTES, "/v1/nothing"])
def test_any_page_of_the_ui_may_ask_beforehand(v1: V1, route: str, origin: str) -> None:
    headers = {"origin": origin, "access-control-request-method": "PATCH", "sec-fetch-site": "cross-site"}
    headers["access-control-request-headers"] = "content-type"
    found = v1.ask("OPTIONS", path(route), headers=headers)
    found.done()
    found.allows(origin)


def test_options_need_no_origin(v1: V1) -> None:
    v1.ask("OPTIONS", "/v1/tasks").done()


@pytest.mark.parametrize("site", ["same-site", "cross-site"])
@pytest.mark.parametrize("origin", ORIGINS)
def test_the_ui_may_read_every_reply(server: str, node: str, origin: str, site: str) -> None:
    with V1(server, origin=origin, **{"sec-fetch-site": site, "sec-fetch-mode": "cors"}) as v1:
        for found, status in (
            (v1.get("/v1/nodes"), 200),
            (v1.heartbeat(node), 200),
            (v1.post("/v1/services/heartbeat", {"instanceId": "nobody"}), 204),
            (v1.delete(f"/v1/nodes/{node}"), 204),
            (v1.get("/v1/nodes/nobody"), 404),
            (v1.get("/v1/nothing"), 404),
            (v1.ask("PUT", "/v1/tasks"), 405),
            (v1.post("/v1/tasks", {}), 400),
            (v1.ask("POST", "/v1/tasks", content=b"{"), 400),
            (v1.get("/v1/stream"), 400),
            (v1.upload(b"no zip"), 400),
        ):
            assert found.status == status, found
            found.allows(origin)


@pytest.mark.parametrize("origin", ORIGINS)
def test_the_other_door_is_open_to_the_ui_too(server: str, origin: str) -> None:
    with Apis(server, origin=origin, **{"sec-fetch-site": "cross-site"}) as apis:
        for where, status in (("/apis/plum.dev/v1/tasks", 200), (apis.path("tasks", "nobody"), 404)):
            found = apis.ask("GET", where)
            assert found.status == status
            assert found.headers["access-control-allow-origin"] == origin
        headers = {"access-control-request-method": "PATCH", "access-control-request-headers": "content-type"}
        found = apis.ask("OPTIONS", apis.path("tasks", "nobody"), headers=headers)
        assert found.status == 204
        found.allows(origin)


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:5174", "https://localhost:5173", "null"])
def test_no_other_page_may(server: str, node: str, origin: str) -> None:
    with V1(server, origin=origin, **{"sec-fetch-site": "cross-site"}) as v1:
        for found in (v1.get("/v1/nodes"), v1.ask("OPTIONS", "/v1/nodes"), v1.heartbeat(node)):
            assert found.headers.get("access-control-allow-origin") not in ("*", origin)
    with V1(server) as v1:
        v1.get(f"/v1/nodes/{node}").error(404)


def exchange(connection: socket.socket, request: bytes) -> tuple[bytes, bytes]:
    """One request and its reply: head and body."""
    connection.sendall(request)
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += connection.recv(65536)
    head, _, body = raw.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0]):
        body += connection.recv(65536)
    return head, body


def test_a_connection_is_kept_over_good_replies_and_bad_ones(server: str, node: str) -> None:
    where = urlsplit(server)
    host = f"host: {where.netloc}\r\n".encode()
    body = b'{"nodeId":"%b","ip":"10.0.0.1"}' % node.encode()
    beat = b"POST /v1/nodes/heartbeat HTTP/1.1\r\n" + host + b"content-length: %d\r\n\r\n" % len(body) + body
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=10) as connection:
        for _ in range(2):
            for request, status in (
                (beat, b"200"),
                (b"GET /v1/assignments?nodeId=%b HTTP/1.1\r\n" % node.encode() + host + b"\r\n", b"200"),
                (beat.replace(b"/v1/nodes/heartbeat", b"/v1/nodes"), b"405"),
                (beat.replace(b"heartbeat", b"a/b"), b"404"),
                (beat.replace(b'"nodeId"', b'"nodeXX"'), b"400"),
                (b"DELETE /v1/tasks/nothing HTTP/1.1\r\n" + host + b"\r\n", b"204"),
            ):
                head, _ = exchange(connection, request)
                assert head.startswith(b"HTTP/1.1 " + status), (request, head)
                assert b"connection: close" not in head.lower()


def test_when_authentication_is_on_everything_demands_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "tokens").write_text("0123456789abcdef,ann\n")
    token = {"authorization": "Bearer 0123456789abcdef"}
    args = ("--token-file", str(folder / "tokens"), "--max-artifact-bytes", "1000")
    with start_apiserver(folder / "data", *args) as url, V1(url, origin=VITE) as v1:
        for route, methods in ROUTES.items():
            found = v1.ask(methods[0], path(route), json=BODIES.get((methods[0], route), {}))
            found.error(401)
            found.allows(VITE)
            v1.ask("OPTIONS", path(route)).done()
        assert v1.ask("GET", "/healthz").raw == b"ok"
        with V1(url, origin=VITE, **token) as ann:
            assert ann.heartbeat("nodeA").json() == {"ttlSec": 15}
            assert [node["nodeId"] for node in ann.get("/v1/nodes").json()] == ["nodeA"]
            ann.upload(b"x" * 5000).error(413)
        with Stream(url, "nodeA", **token) as stream:
            stream.begin()
        with Stream(url, "nodeA") as stream:
            assert stream.status == 401
