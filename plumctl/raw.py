"""Requests whose answers are printed rather than read: bodies as they are on the wire."""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx
import orjson

from apiserver.api.errors import ServiceUnavailable, from_status
from apiserver.api.meta import Body
from apiserver.api.scheme import Kind
from apiserver.client import answers
from apiserver.client.frames import read_lines
from apiserver.client.rest import RestClient, raise_for_status

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
WATCH_READ_SECONDS = 90.0
PAGE = 500


def place(client: RestClient, kind: Kind, namespace: str, name: str = "", *, everywhere: bool = False) -> str:
    """The URL path of an object or a collection; an empty namespace is the configured one."""
    where = "" if everywhere or not kind.namespaced else namespace or client.config.namespace
    return kind.path(quote(where, safe=""), quote(name, safe=""))


async def send(
    client: RestClient,
    method: str,
    path: str,
    *,
    query: Mapping[str, str] | None = None,
    body: object = None,
    media_type: str = "application/json",
    accept: str = "application/json",
) -> httpx.Response:
    """One request. Raises ApiError."""
    content = None if body is None else orjson.dumps(body)
    headers = {"accept": accept} | ({"content-type": media_type} if content is not None else {})
    try:
        response = await client.http.request(method, path, params=query, content=content, headers=headers)
    except httpx.TransportError as error:
        raise unreachable(client, error) from error
    await raise_for_status(response)
    return response


def unreachable(client: RestClient, error: httpx.TransportError) -> ServiceUnavailable:
    """The server does not answer."""
    return answers.unreachable(client.config.server, error)


async def read(client: RestClient, path: str, *, query: Mapping[str, str] | None = None, accept: str = "") -> Body:
    """GET a body. Raises ApiError."""
    response = await send(client, "GET", path, query=query, accept=accept or "application/json")
    body: dict[str, Any] = orjson.loads(response.content)
    return body


async def read_items(client: RestClient, path: str, *, query: Mapping[str, str] | None = None) -> AsyncIterator[Body]:
    """The objects of a collection, page by page. Raises ApiError; Expired when paging took too long."""
    token = ""
    while True:
        more = {"continue": token} if token else {}
        page = await read(client, path, query={"limit": str(PAGE), **(query or {}), **more})
        for item in page["items"]:
            yield item
        token = page["metadata"].get("continue", "")
        if not token:
            return


async def stream(client: RestClient, path: str, query: Mapping[str, str], accept: str) -> AsyncIterator[Body]:
    """The frames of a watch until it ends. Raises ApiError; an ERROR frame is raised too."""
    timeout = httpx.Timeout(30.0, connect=5.0, read=WATCH_READ_SECONDS)
    try:
        async with client.http.stream(
            "GET", path, params=query, headers={"accept": accept}, timeout=timeout
        ) as response:
            await raise_for_status(response)
            async for line in read_lines(response.aiter_bytes()):
                frame: dict[str, Any] = orjson.loads(line)
                if frame["type"] == "ERROR":
                    raise from_status(frame["object"])
                yield frame
    except httpx.TransportError as error:
        raise unreachable(client, error) from error
