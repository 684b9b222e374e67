"""The Swagger page and the document behind it: complete, true, and without the network."""

import json
import re
from typing import Any
from urllib.parse import urljoin

import pytest

from tests.v1.client import V1
from tests.v1.routes import METHODS, ROUTES, path


@pytest.fixture
def document(v1: V1) -> dict[str, Any]:
    reply = v1.ask("GET", "/swagger/openapi.json")
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("application/json")
    found: dict[str, Any] = json.loads(reply.raw)
    return found


def operations(document: dict[str, Any]) -> dict[str, set[str]]:
    """Methods by path, with every parameter of a path called ``{id}``."""
    return {
        re.sub(r"\{[^}]*\}", "{id}", where): {method.upper() for method in item} & set(METHODS)
        for where, item in document["paths"].items()
    }


def test_the_document_names_every_request(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.")
    assert document["info"]["title"]
    assert document["info"]["version"]
    found = operations(document)
    for route, methods in ROUTES.items():
        assert found.get(route) == set(methods), route


def test_what_the_document_does_not_name_is_not_allowed(v1: V1, document: dict[str, Any]) -> None:
    for route, methods in operations(document).items():
        if route.startswith("/v1/"):
            for method in set(METHODS) - methods:
                assert v1.ask(method, path(route)).status == 405, (method, route)


def test_every_operation_tells_its_replies_and_inputs(document: dict[str, Any]) -> None:
    for where, item in document["paths"].items():
        for method, operation in item.items():
            if method.upper() not in METHODS or not where.startswith("/v1/"):
                continue
            assert any(code.startswith("2") for code in operation["responses"]), (method, where)
            told = [*item.get("parameters", ()), *operation.get("parameters", ())]
            named = {one["name"] for one in told if one.get("in") == "path"}
            assert named == set(re.findall(r"\{([^}]*)\}", where)), (method, where)
            if method in ("post", "patch"):
                assert operation["requestBody"]["content"], (method, where)


def test_the_document_names_the_fields_of_replies(document: dict[str, Any]) -> None:
    for name in ("instanceId", "lastReportAt", "startCmd", "sizeBytes", "ttlSec", "lastSeen", "serviceName", "hashKey"):
        assert f"'{name}'" in repr(document), name


def test_references_lead_somewhere(document: dict[str, Any]) -> None:
    for found in re.findall(r"'\$ref': '#/([^']*)'", repr(document)):
        at: Any = document
        for step in found.split("/"):
            at = at[step.replace("~1", "/").replace("~0", "~")]


def test_the_page_needs_nobody_else(v1: V1) -> None:
    reply = v1.ask("GET", "/swagger")
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/html")
    page = reply.raw.decode()
    assert "swagger" in page.lower()
    linked = re.findall(r"""(?:src|href)\s*=\s*["']([^"'#]+)["']""", page)
    for link in linked:
        assert not link.startswith(("http:", "https:", "//")), link
        found = v1.ask("GET", urljoin("/swagger", link))
        assert (found.status, bool(found.raw)) == (200, True), link
    assert linked or "<script" in page
