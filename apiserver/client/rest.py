"""The real client, over HTTP with kept-alive connections. Proxies of the environment are not for cluster
traffic and are ignored."""

import asyncio
import copy
import random
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
import orjson

from apiserver.api import errors
from apiserver.api.machinery.fencing import HEADER as FENCE
from apiserver.api.meta import Body, ResourceT
from apiserver.api.scheme import SCHEME, Kind
from apiserver.client.answers import decode, decode_page, raise_for_status, unreachable
from apiserver.client.backoff import Backoff
from apiserver.client.config import Config
from apiserver.client.credentials import credentials
from apiserver.client.frames import decode_frame, read_lines
from apiserver.client.interface import Page, Propagation, WatchEvent
from apiserver.client.trust import trust

__all__ = ["RestClient", "raise_for_status"]

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
CALLS = 8
"""Connections for requests with a plain answer. With each of them the connection pool asks all idle ones whether they
are still good: more of them cost more than they save."""

WATCH_READ_SECONDS = 90.0
"""Longer than the server's pause between bookmarks: a silent watch is a dead one."""

READ_TRIES = 4
RETRY = Backoff(base=0.2, cap=5.0)
MAX_RETRY_AFTER = 10
"""Seconds; a server that asks for more gets its refusal reported."""

APPLY, MERGE, JSON_PATCH = "application/apply-patch+yaml", "application/merge-patch+json", "application/json-patch+json"


class RestClient:
    """Typed verbs over one server; see ``interface.Client``. Use it as an async context manager.

    Where a namespaced object is named without its namespace, the configured one is meant.
    """

    def __init__(
        self,
        config: Config,
        *,
        manager: str,
        transport: httpx.AsyncBaseTransport | None = None,
        rng: random.Random | None = None,
        fence: Callable[[], str] | None = None,
    ) -> None:
        """``manager`` is the field manager of all writes; ``fence`` is asked at each write in the name of which
        leadership it is made (``leader.Leadership``), and the server refuses those that are superseded."""
        self.config, self.manager, self._fence = config, manager, fence
        self._rng = rng or random.Random()
        # Lists compress well, but on a cluster's network the time is better spent elsewhere.
        headers = {"user-agent": f"{manager}/plum", "accept": "application/json", "accept-encoding": "identity"}
        if config.token:
            headers["authorization"] = f"Bearer {config.token}"
        connect = partial(
            httpx.AsyncClient,
            base_url=config.server,
            headers=headers,
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            auth=credentials(config),
            trust_env=False,
            verify=trust(config.server, config.tls),
            transport=transport,
        )
        self._calls = connect(limits=httpx.Limits(max_connections=CALLS, keepalive_expiry=60.0))
        self.http = connect(limits=httpx.Limits(max_connections=256, keepalive_expiry=60.0))
        """The configured HTTP client for streams, and for what has no typed verb."""

    async def __aenter__(self) -> Self:
        """Nothing is sent before the first request."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections."""
        await self._calls.aclose()
        await self.http.aclose()

    def fenced(self, fence: Callable[[], str]) -> Self:
        """The same client, over the same connections, for the writes of one leadership."""
        client = copy.copy(self)
        client._fence = fence
        return client

    async def get(self, kind: type[ResourceT], name: str, *, namespace: str = "") -> ResourceT:
        """See ``interface.Client``."""
        return decode(kind, await self._read(self._path(kind, name, namespace), {}))

    async def list(
        self,
        kind: type[ResourceT],
        *,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        limit: int = 0,
        continue_token: str = "",
    ) -> Page[ResourceT]:
        """See ``interface.Client``. Objects that cannot be read are logged and named in ``skipped``."""
        query = _selection(labels, fields)
        if limit:
            query["limit"] = str(limit)
        if continue_token:
            query["continue"] = continue_token
        return decode_page(kind, await self._read(_collection(kind, namespace), query))

    async def watch(
        self,
        kind: type[ResourceT],
        *,
        resource_version: str,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        timeout: float = 300.0,
    ) -> AsyncGenerator[WatchEvent[ResourceT], None]:
        """See ``interface.Client``."""
        query = _selection(labels, fields) | {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(max(1, round(timeout))),
        }
        limits = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS, read=WATCH_READ_SECONDS)
        request = self.http.build_request("GET", _collection(kind, namespace), params=query, timeout=limits)
        try:
            response = await self.http.send(request, stream=True)
            try:
                await raise_for_status(response)
                async with aclosing(read_lines(response.aiter_bytes())) as lines:
                    async for line in lines:
                        if event := decode_frame(kind, line):
                            yield event
            finally:
                await response.aclose()
        except httpx.RequestError as error:
            raise self._unreachable(error) from error

    async def create(self, obj: ResourceT) -> ResourceT:
        """See ``interface.Client``."""
        namespace = self._namespace(type(obj), obj.metadata.namespace or "")
        raw = await self._write("POST", _collection(type(obj), namespace), obj.to_body())
        return decode(type(obj), raw)

    async def apply(
        self,
        kind: type[ResourceT],
        name: str,
        config: Body,
        *,
        namespace: str = "",
        subresource: str = "",
        force: bool = True,
    ) -> ResourceT:
        """See ``interface.Client``."""
        entry = SCHEME.of_model(kind)
        metadata = dict(config.get("metadata") or {}, name=name)
        body = dict(config, apiVersion=entry.api_version, kind=entry.name, metadata=metadata)
        path = self._path(kind, name, namespace, subresource)
        query = {"force": "true"} if force else {}
        return decode(kind, await self._write("PATCH", path, body, media_type=APPLY, query=query))

    async def patch(
        self,
        kind: type[ResourceT],
        name: str,
        patch: Body | Sequence[dict[str, Any]],
        *,
        namespace: str = "",
        subresource: str = "",
    ) -> ResourceT:
        """See ``interface.Client``."""
        media_type = MERGE if isinstance(patch, dict) else JSON_PATCH
        path = self._path(kind, name, namespace, subresource)
        return decode(kind, await self._write("PATCH", path, patch, media_type=media_type))

    async def delete(
        self,
        kind: type[ResourceT],
        name: str,
        *,
        namespace: str = "",
        propagation: Propagation = "Background",
        uid: str = "",
        version: str = "",
    ) -> None:
        """See ``interface.Client``."""
        options: Body = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        if conditions := {name: value for name, value in (("uid", uid), ("resourceVersion", version)) if value}:
            options["preconditions"] = conditions
        await self._write("DELETE", self._path(kind, name, namespace), options)

    def _path(self, kind: type[ResourceT], name: str, namespace: str, subresource: str = "") -> str:
        return _path(SCHEME.of_model(kind), self._namespace(kind, namespace), name, subresource)

    def _namespace(self, kind: type[ResourceT], namespace: str) -> str:
        return (namespace or self.config.namespace) if SCHEME.of_model(kind).namespaced else ""

    async def _read(self, path: str, query: Mapping[str, str]) -> bytes:
        """A read; where the server asks to come back later, it does so a few times."""
        tries = 0
        while True:
            try:
                return await self._send("GET", path, query)
            except (errors.TooManyRequests, errors.ServiceUnavailable) as error:
                tries += 1
                wait = error.details.retry_after_seconds
                if not 0 < wait <= MAX_RETRY_AFTER or tries >= READ_TRIES:
                    raise
            await asyncio.sleep(wait + RETRY.delay(tries, self._rng))

    async def _write(
        self,
        method: str,
        path: str,
        body: Any,
        *,
        media_type: str = "application/json",
        query: Mapping[str, str] | None = None,
    ) -> bytes:
        parameters = {"fieldManager": self.manager, **(query or {})}
        headers = {"content-type": media_type}
        if self._fence is not None:
            headers[FENCE] = self._fence()
        return await self._send(method, path, parameters, orjson.dumps(body), headers)

    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        try:
            response = await self._calls.request(method, path, params=query, content=content, headers=headers)
        except httpx.ReadTimeout as error:
            raise errors.Timeout(
                f"{self.config.server} did not answer {method} {path} within {READ_SECONDS:g} s"
            ) from error
        except httpx.RequestError as error:
            raise self._unreachable(error) from error
        await raise_for_status(response)
        return response.content

    def _unreachable(self, error: httpx.RequestError) -> errors.ServiceUnavailable:
        return unreachable(self.config.server, error)


def _path(entry: Kind, namespace: str = "", name: str = "", subresource: str = "") -> str:
    return entry.path(quote(namespace, safe=""), quote(name, safe=""), subresource)


def _collection(kind: type[ResourceT], namespace: str) -> str:
    return _path(SCHEME.of_model(kind), namespace)


def _selection(labels: str, fields: str) -> dict[str, str]:
    return {key: value for key, value in (("labelSelector", labels), ("fieldSelector", fields)) if value}
