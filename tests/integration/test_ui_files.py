"""The web UI as a server hands it to browsers, and what programs get at the same addresses."""

import gzip
import re
import ssl
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

from tests.certificates import TestAuthority
from tests.integration.test_resources import TASKS, expect
from tests.servers import start_apiserver

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
VISIT = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
FROM_ELSEWHERE = VISIT | {"sec-fetch-site": "cross-site"}
SCRIPT = "/assets/index-B1s2.js"
DEEP = ["/", "/index.html", "/tasks", "/tasks/", "/tasks/create", "/tasks/a.b", "/overview", "/nothing/at/all", "/v1x"]
API = [
    "/api", "/api/v1", "/api/v9", "/apis", "/apis/x.y", "/apis/plum.dev/v1", TASKS, f"{TASKS}/none", "/v1", "/v1/tasks",
    "/v1/none", "/openapi/v2", "/openapi/v4", "/swagger", "/swagger/none", "/healthz", "/livez", "/readyz", "/version",
    "/version/x", "/metrics", "/artifacts/none", "/artifacts",
]  # fmt: skip
PAGE = "<!doctype html><title>Plum</title>\n"
CODE = "console.log('plum')\n" * 1000


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the build leaves it, with a secret beside it."""
    around = tmp_path_factory.mktemp("built")
    (around / "secret.js").write_text("secret")
    folder = around / "ui"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "plum.svg").write_text("<svg/>")
    (folder / SCRIPT[1:]).write_text(CODE)
    (folder / "assets" / "a.woff2").write_bytes(b"wOF2")
    (folder / "assets" / "notes.md").write_text("of no use to a browser")
    return folder


@pytest.fixture(scope="module")
def server(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with start_apiserver(tmp_path_factory.mktemp("data"), "--ui-dir", str(built)) as url:
        yield url


@pytest.mark.parametrize("path", DEEP)
def test_a_browser_gets_the_page_wherever_it_goes(http: httpx.Client, path: str) -> None:
    found = http.get(path, headers=BROWSER)
    assert (found.status_code, found.text) == (200, PAGE)
    assert found.headers["content-type"] == "text/html; charset=utf-8"
    assert found.headers["cache-control"] == "no-cache"
    assert http.head(path, headers=BROWSER).headers["content-length"] == found.headers["content-length"]


@pytest.mark.parametrize("path", [path for path in DEEP if path != "/index.html"])
def test_programs_get_what_they_always_got(http: httpx.Client, path: str) -> None:
    for headers in ({}, {"accept": "application/json"}, {"accept": "*/*"}):
        expect(http.get(path, headers=headers), 404, "NotFound")
    expect(http.post(path, headers=BROWSER), 404, "NotFound")
    expect(http.delete(path, headers=BROWSER), 404, "NotFound")


@pytest.mark.parametrize("path", API)
def test_the_api_is_no_page_for_anybody(http: httpx.Client, path: str) -> None:
    found, asked = http.get(path), http.get(path, headers=BROWSER)
    assert (asked.status_code, asked.headers["content-type"]) == (found.status_code, found.headers["content-type"])
    assert asked.text != PAGE


def test_files_with_a_digest_in_their_name_are_kept_for_ever(http: httpx.Client) -> None:
    for path, kind in ((SCRIPT, "text/javascript; charset=utf-8"), ("/assets/a.woff2", "font/woff2")):
        found = http.get(path)
        assert (found.status_code, found.headers["content-type"]) == (200, kind)
        assert found.headers["cache-control"] == "public, max-age=31536000, immutable"
    icon = http.get("/plum.svg")
    assert (icon.headers["content-type"], icon.headers["cache-control"]) == ("image/svg+xml", "no-cache")


def test_what_a_browser_has_is_not_sent_again(http: httpx.Client) -> None:
    for path in ("/", SCRIPT, "/plum.svg"):
        first = http.get(path, headers=BROWSER)
        again = http.get(path, headers=BROWSER | {"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
        assert again.headers["content-security-policy"] == first.headers["content-security-policy"]
        assert http.get(path, headers=BROWSER | {"if-none-match": '"other"'}).status_code == 200


def test_texts_are_compressed_for_who_takes_it(http: httpx.Client) -> None:
    with http.stream("GET", SCRIPT, headers={"accept-encoding": "br, gzip"}) as reply:
        raw = b"".join(reply.iter_raw())
        assert reply.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw).decode() == CODE
    assert len(raw) * 10 < len(CODE)
    for refused in ("identity", "gzip;q=0"):
        plain = http.get(SCRIPT, headers={"accept-encoding": refused})
        assert "content-encoding" not in plain.headers
        assert plain.text == CODE
        assert "accept-encoding" in plain.headers["vary"].lower()
    assert "content-encoding" not in http.get("/assets/a.woff2", headers={"accept-encoding": "gzip"}).headers


@pytest.mark.parametrize(
    "path",
    [
        "/assets", "/assets/none.js", "/assets/notes.md", "/assets/../../secret.js", "/assets/..%2f..%2fsecret.js",
        "/..%2fsecret.js", "/assets/%2e%2e/%2e%2e/secret.js", "/assets//index-B1s2.js", "/%2fassets/index-B1s2.js",
        "/assets/index-B1s2.js%00", "/assets/%5c..%5c..%5csecret.js",
    ],
)  # fmt: skip
def test_nothing_is_served_but_what_was_built(server: str, path: str) -> None:
    """A script that is not there is no page, even to who would take one."""
    for accept in ("*/*", BROWSER["accept"]):
        connection = HTTPConnection(server.removeprefix("http://"), timeout=10)  # it sends paths as they are
        connection.request("GET", path, headers={"accept": accept})
        found = connection.getresponse()
        text = found.read().decode()
        connection.close()
        if accept == "*/*" or path.startswith("/assets/"):
            assert found.status == 404
        else:
            assert text == PAGE
        assert "secret" not in text


@pytest.mark.parametrize("path", ["/", "/tasks/hello", SCRIPT, "/assets/none.js", "/plum.svg"])
def test_every_answer_says_what_a_page_may_do(http: httpx.Client, path: str) -> None:
    headers = http.get(path, headers=BROWSER).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == policy["worker-src"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"


def test_the_page_is_open_to_links_and_to_nothing_else_of_other_pages(http: httpx.Client) -> None:
    assert http.get("/tasks/hello", headers=BROWSER | FROM_ELSEWHERE).text == PAGE
    framed = FROM_ELSEWHERE | {"sec-fetch-dest": "iframe"}
    for headers in ({"sec-fetch-site": "cross-site"}, framed, {"origin": "http://evil.example"}):
        expect(http.get("/tasks/hello", headers=BROWSER | headers), 403, "Forbidden")
        expect(http.get(SCRIPT, headers=headers), 403, "Forbidden")
    for path in (TASKS, "/v1/tasks", "/swagger"):
        assert http.get(path, headers=BROWSER | FROM_ELSEWHERE).status_code == 403


def test_names_that_are_not_this_machine_s_get_no_page(http: httpx.Client) -> None:
    for headers in (BROWSER, BROWSER | FROM_ELSEWHERE):
        expect(http.get("/", headers=headers | {"host": "rebound.example"}), 403, "Forbidden")


def test_the_page_needs_no_token_and_opens_nothing_else(built: Path, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("a-token-of-enough-length,ann\n")
    args = ("--ui-dir", str(built), "--token-file", str(tokens))
    with start_apiserver(tmp_path / "data", *args) as url, httpx.Client(base_url=url, trust_env=False) as http:
        assert http.get("/tasks", headers=BROWSER | FROM_ELSEWHERE).text == PAGE
        assert http.get(SCRIPT).text == CODE
        assert http.get("/plum.svg").status_code == 200
        assert http.get("/", headers=BROWSER | {"host": "plum.example"}).text == PAGE
        for path in (TASKS, "/v1/tasks", "/metrics", "/artifacts/x", "/openapi/v3"):
            assert http.get(path, headers=BROWSER).status_code == 401, path
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            assert http.request(method, "/tasks", headers=BROWSER).status_code == 401
        expect(http.get("/tasks"), 401, "Unauthorized")
        assert http.get(TASKS, headers={"authorization": "Bearer a-token-of-enough-length"}).status_code == 200


def test_the_page_needs_no_certificate_either(built: Path, tmp_path: Path) -> None:
    authority = TestAuthority(tmp_path / "ca")
    pair, context = authority.server(), ssl.create_default_context(cafile=authority.file)
    tls = ("--tls-cert", str(pair.certificate), "--tls-key", str(pair.key), "--client-ca", str(authority.file))
    with (
        start_apiserver(tmp_path / "data", "--ui-dir", str(built), *tls) as url,
        httpx.Client(base_url=url, trust_env=False, verify=context) as http,
    ):
        assert http.get("/tasks", headers=BROWSER).text == PAGE
        assert http.get(TASKS, headers=BROWSER).status_code == 401


def test_metrics_do_not_grow_with_what_browsers_ask_for(http: httpx.Client) -> None:
    for number in range(20):
        http.get(f"/page-{number}", headers=BROWSER)
        http.get(f"/assets/{number}.js")
    text = http.get("/metrics").text
    assert set(re.findall(r'apiserver_request_total\{code="\d+",resource="ui",verb="(\w+)"\}', text)) <= {"get", "head"}
    assert 'apiserver_request_total{code="200",resource="ui",verb="get"}' in text
    assert "page-" not in text


def test_a_new_build_is_served_without_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "ui"
    args = ("--ui-dir", str(folder))
    with start_apiserver(tmp_path / "data", *args) as url, httpx.Client(base_url=url, trust_env=False) as http:
        missing = http.get("/tasks", headers=BROWSER)
        assert missing.status_code == 404
        assert "<code>make ui</code>" in missing.text
        assert "Web UI 尚未构建" in missing.text
        assert "<script" not in missing.text
        assert "default-src 'none'" in missing.headers["content-security-policy"]
        (folder / "assets").mkdir(parents=True)
        (folder / "index.html").write_text("one")
        assert http.get("/tasks", headers=BROWSER).text == "one"
        assert http.get("/assets/late.js").status_code == 404
        (folder / "assets" / "late.js").write_text("late")
        assert http.get("/assets/late.js").text == "late"
        (folder / "index.html").unlink()
        (folder / "index.html").write_text("two")
        assert http.get("/", headers=BROWSER).text == "two"
        (folder / "index.html").unlink()
        assert http.get("/", headers=BROWSER).status_code == 404


@pytest.mark.parametrize(
    "path", [TASKS, "/v1/tasks", "/openapi/v3", "/version", "/readyz", "/artifacts/none", "/api/v1/events"]
)
def test_the_development_server_may_use_what_the_ui_needs(http: httpx.Client, path: str) -> None:
    origin = {"origin": "http://127.0.0.1:5173", "sec-fetch-site": "same-site"}
    assert http.get(path, headers=origin).headers["access-control-allow-origin"] == origin["origin"]
    asking = origin | {"access-control-request-method": "PUT", "access-control-request-headers": "content-type"}
    allowed = http.options(path, headers=asking)
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, origin["origin"])
    assert "Authorization" in allowed.headers["access-control-allow-headers"]
    stranger = origin | {"origin": "http://127.0.0.1:5174"}
    assert "access-control-allow-origin" not in http.get(path, headers=stranger).headers


@pytest.mark.parametrize("path", ["/", SCRIPT, "/metrics", "/backup"])
def test_and_nothing_more(http: httpx.Client, path: str) -> None:
    headers = BROWSER | {"origin": "http://127.0.0.1:5173", "sec-fetch-site": "same-site"}
    assert "access-control-allow-origin" not in http.get(path, headers=headers).headers
