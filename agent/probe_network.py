"""Probes over the network: a connection, or a GET of which only the head of the answer counts.

Bounded in everything: the head in size, the time by the caller, who cancels. Nothing is kept open.
"""

import asyncio
import ipaddress
import os
import socket
import ssl
from collections.abc import AsyncIterator, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import cached_property
from typing import Any

import h11

from agent.probes import Outcome
from apiserver.api.kinds.probe import HttpGet

USER_AGENT = "plum-probe"
LOOPBACK = "127.0.0.1"
MAX_HEAD = 64 * 1024
MAX_SEEN = 200
"""Characters of what an error says."""

BODY_SECONDS = 0.2
"""How long the rest of an answer is read, and thrown away: servers that are cut short complain in their logs."""

_START = b"HTTP/"
_ADDRESSES = 4
"""Of a name, at most so many are tried."""

Address = tuple[socket.AddressFamily, tuple[str, int]]


class NotPassed(Exception):
    """What a try saw instead of what it should."""


class Network:
    """Connects, and asks over HTTP."""

    def __init__(self, *, resolving: int = 2) -> None:
        """``resolving``: host names that are looked up at once, by threads of their own, since a lookup may hang."""
        self._resolver = ThreadPoolExecutor(resolving, thread_name_prefix="probe-names")

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    async def connect(self, host: str, port: int, *, within: float) -> Outcome:
        """Passes if somebody accepts a connection. Raises TimeoutError after ``within`` seconds."""
        return await _judged(self._connect(host or LOOPBACK, port, within))

    async def get(self, ask: HttpGet, port: int, *, within: float) -> Outcome:
        """Passes if the answer's status is 200 to 399. Raises TimeoutError if its head takes longer than ``within``
        seconds."""
        return await _judged(self._get(ask, port, within))

    async def _connect(self, host: str, port: int, within: float) -> None:
        async with asyncio.timeout(within):
            (await self._connected(host, port)).close()

    async def _get(self, ask: HttpGet, port: int, within: float) -> None:
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        request = (connection.send(_request(ask, port)) or b"") + (connection.send(h11.EndOfMessage()) or b"")
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(within):
                reader, writer = await stack.enter_async_context(self._stream(ask, port))
                writer.write(request)
                status = await _status(reader, connection)
            with suppress(TimeoutError, OSError, h11.ProtocolError):  # whatever comes after the head does not count
                async with asyncio.timeout(BODY_SECONDS):
                    await _rest(reader, connection)
        if not 200 <= status < 400:
            raise NotPassed(f"answered {status}")

    @asynccontextmanager
    async def _stream(
        self, ask: HttpGet, port: int
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        host = ask.host or LOOPBACK
        found = await self._connected(host, port)
        try:
            tls, name = (self._tls, host) if ask.scheme == "https" else (None, None)
            reader, writer = await asyncio.open_connection(sock=found, limit=MAX_HEAD, ssl=tls, server_hostname=name)
        except BaseException:
            found.close()
            raise
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    async def _connected(self, host: str, port: int) -> socket.socket:
        """A connection to the first address that accepts one. Raises OSError."""
        error: OSError = OSError(f"no address of {host}")
        for family, address in (await self._addresses(host, port))[:_ADDRESSES]:
            found = socket.socket(family, socket.SOCK_STREAM)
            found.setblocking(False)
            try:
                await asyncio.get_running_loop().sock_connect(found, address)
            except OSError as failure:
                found.close()
                error = failure
            except BaseException:
                found.close()
                raise
            else:
                return found
        raise error

    async def _addresses(self, host: str, port: int) -> Sequence[Address]:
        with suppress(ValueError):
            version = ipaddress.ip_address(host).version
            return [(socket.AF_INET if version == 4 else socket.AF_INET6, (host, port))]

        def look_up() -> list[Address]:
            return [(found[0], found[4][:2]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]  # type: ignore[misc]

        return await asyncio.get_running_loop().run_in_executor(self._resolver, look_up)

    def close(self) -> None:
        """End the threads."""
        self._resolver.shutdown(wait=False, cancel_futures=True)


def location(ask: HttpGet, port: int) -> str:
    """The URL that is asked for."""
    return f"{ask.scheme}://{authority(ask.host, port)}{ask.path}"


def authority(host: str, port: int) -> str:
    """``host:port``, also of an IPv6 address; the loopback one, if no host is given."""
    return f"[{host}]:{port}" if ":" in host else f"{host or LOOPBACK}:{port}"


def _request(ask: HttpGet, port: int) -> h11.Request:
    """With what the probe says of headers; its own Host, User-Agent and Accept come instead of ours, empty ones
    of the latter two not at all."""
    own = [(header.name, header.value) for header in ask.http_headers]
    given = {name.lower() for name, _ in own}
    ours = {"Host": authority(ask.host, port), "User-Agent": USER_AGENT, "Accept": "*/*", "Connection": "close"}
    left_out = ("user-agent", "accept")
    headers = [(name, value) for name, value in ours.items() if name.lower() not in given]
    headers += [(name, value) for name, value in own if value or name.lower() not in left_out]
    return h11.Request(method="GET", target=ask.path, headers=headers)


async def _status(reader: asyncio.StreamReader, connection: h11.Connection) -> int:
    """The status of the final answer. Raises NotPassed, OSError, h11.ProtocolError."""
    received = 0
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Response):
            return event.status_code
        if event is h11.NEED_DATA:
            chunk = await reader.read(MAX_HEAD)
            if not chunk:
                raise NotPassed("the connection was closed before the end of an answer's head")
            if not received and not chunk.startswith(_START[: len(chunk)]):
                raise NotPassed("the answer is not HTTP")
            received += len(chunk)
            if received > MAX_HEAD:
                raise NotPassed(f"the head of the answer is longer than {MAX_HEAD // 1024} KiB")
            connection.receive_data(chunk)


async def _rest(reader: asyncio.StreamReader, connection: h11.Connection) -> None:
    """To the end of the answer, or as much as is read of any. Raises OSError, h11.ProtocolError."""
    left = MAX_HEAD
    while left > 0:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            chunk = await reader.read(left)
            if not chunk:
                return
            left -= len(chunk)
            connection.receive_data(chunk)
        elif not isinstance(event, h11.Data):
            return


async def _judged(work: Coroutine[Any, Any, None]) -> Outcome:
    """What went wrong, in words. Raises TimeoutError."""
    try:
        await work
    except NotPassed as error:
        return Outcome(False, str(error))
    except h11.LocalProtocolError as error:
        return Outcome(False, f"the request cannot be made: {error}"[:MAX_SEEN])
    except h11.RemoteProtocolError as error:
        return Outcome(False, f"the answer is not HTTP: {error}"[:MAX_SEEN])
    except ssl.SSLError as error:
        return Outcome(False, f"TLS: {error.reason or error}"[:MAX_SEEN])
    except (OSError, UnicodeError) as error:
        if isinstance(error, TimeoutError) and error.errno is None:
            raise  # our own, and not the system's word about a connection
        return Outcome(False, _in_words(error)[:MAX_SEEN])
    return Outcome(True)


def _in_words(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return f"the host is not known: {error.strerror}"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return str(error)
