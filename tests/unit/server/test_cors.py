"""Who may use the API from a page of another origin."""

import pytest

from apiserver.server.http.cors import Cors

VITE = "http://localhost:5173"
DEFAULT = Cors((VITE, "http://127.0.0.1:5173"))


def asked(cors: Cors, path: str, origin: str = "", host: str = "127.0.0.1:8080") -> dict[str, str]:
    headers = {b"host": host.encode()} | ({b"origin": origin.encode()} if origin else {})
    return {name.decode(): value.decode() for name, value in cors.reply(path, headers)}


@pytest.mark.parametrize("path", ["/v1/tasks", "/v1/nix", "/apis/plum.dev/v1/tasks", "/api/v1/namespaces"])
def test_an_allowed_origin_may(path: str) -> None:
    found = asked(DEFAULT, path, VITE)
    assert found["access-control-allow-origin"] == VITE
    assert found["access-control-allow-methods"] == "GET, POST, PUT, PATCH, DELETE, OPTIONS"
    assert found["access-control-allow-headers"] == "Content-Type, Authorization"
    assert found["vary"] == "Origin"


def test_the_pages_of_this_server_may() -> None:
    found = asked(DEFAULT, "/v1/tasks", "http://127.0.0.1:8080")
    assert found["access-control-allow-origin"] == "http://127.0.0.1:8080"


@pytest.mark.parametrize("origin", ["", "http://evil.example", "null", "http://localhost:51730"])
def test_others_are_told_nothing(origin: str) -> None:
    assert "access-control-allow-origin" not in asked(DEFAULT, "/v1/tasks", origin)
    assert asked(DEFAULT, "/apis/plum.dev/v1/tasks", origin) == {}
    assert asked(DEFAULT, "/metrics", VITE) == {}


def test_any_origin_may_where_that_is_configured() -> None:
    assert asked(Cors(("*",)), "/v1/tasks")["access-control-allow-origin"] == "*"
    assert asked(Cors(("*",)), "/apis", "http://a.example")["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("method", "path", "origin", "preflight"),
    [
        ("OPTIONS", "/v1/tasks", "", True),
        ("OPTIONS", "/apis/plum.dev/v1/tasks", VITE, True),
        ("OPTIONS", "/apis/plum.dev/v1/tasks", "http://evil.example", False),
        ("OPTIONS", "/metrics", VITE, False),
        ("GET", "/v1/tasks", VITE, False),
    ],
)
def test_preflights(method: str, path: str, origin: str, preflight: bool) -> None:
    assert DEFAULT.is_preflight(method, path, {b"origin": origin.encode()}) is preflight
