"""Start and end of the server: settings in, a listening socket out, everything released at the end."""

import asyncio
import contextlib
import gc
import ipaddress
import logging
import os
import random
import resource
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from apiserver.api.errors import AlreadyExists
from apiserver.api.kinds.namespace import NAMESPACES
from apiserver.api.machinery.documents import Document
from apiserver.lifetime import end_requested
from apiserver.server.backup import SCRATCH, Backups
from apiserver.server.blobs import FOLDER, Blobs
from apiserver.server.channels import Channels
from apiserver.server.endpoint_leases import EndpointLeases
from apiserver.server.http.app import Parts, build_app
from apiserver.server.http.auth import Tokens, read_token_file
from apiserver.server.http.cors import Cors
from apiserver.server.http.protocol import BoundedProtocol
from apiserver.server.leases import ACTOR, NodeLeases
from apiserver.server.registry import Options, Registry, Target
from apiserver.server.restore import check_finished
from apiserver.server.store.cache import RING_BYTES
from apiserver.server.store.directory import StoreUnusable, usable
from apiserver.server.store.retention import Retention
from apiserver.server.store.sqlite import DATABASE, SQLiteEngine
from apiserver.server.store.store import Store, open_store
from apiserver.server.strategies import PERMANENT_NAMESPACES, build_hooks
from apiserver.server.uids import Uids
from apiserver.server.unused_blobs import UnusedBlobs
from apiserver.server.usage import UsageStore

log = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS = 90
"""Agents renew their leases on idle connections; uvicorn's default of 5 s would cut them."""

SHUTDOWN_SECONDS = 10
ARTIFACTS = "artifacts"
UI_ORIGINS = ("http://localhost:5173", "http://127.0.0.1:5173")
"""Where the development server of the web UI is."""


@dataclass(frozen=True)
class Settings:
    """What the server is told."""

    data_dir: Path
    host: str
    port: int
    token_file: Path | None = None
    insecure: bool = False
    max_artifact_bytes: int = 1 << 30
    until_eof: bool = False
    keep: Retention = field(default_factory=Retention)
    heartbeat_ttl: int = 15
    """Seconds for which a heartbeat of an original agent counts."""
    cors_origins: tuple[str, ...] = UI_ORIGINS
    """Whose web pages may use the API, as browsers write them; ``*`` stands for any."""


class CannotServe(Exception):
    """The settings cannot be served; the message says why and what to do."""


def parse_address(text: str, *, is_open: bool) -> tuple[str, int]:
    """``HOST:PORT`` or ``:PORT``, which means all addresses of the machine (of IPv4) where the server ``is_open``
    to others, else loopback. Raises CannotServe."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise CannotServe(f"--addr {text!r}: write HOST:PORT, for example 127.0.0.1:8080")
    return host.strip("[]") or ("0.0.0.0" if is_open else "127.0.0.1"), int(port)


def check_exposure(settings: Settings) -> Tokens | None:
    """The tokens to demand. Raises CannotServe for an open door to other machines, or a bad token file."""
    if settings.token_file is not None:
        try:
            return read_token_file(settings.token_file)
        except (OSError, ValueError) as error:
            raise CannotServe(f"--token-file: {error}") from error
    if not settings.insecure and not _is_loopback(settings.host):
        raise CannotServe(
            f"--addr {settings.host}:{settings.port} is open to other machines: give --token-file, "
            "or --insecure if anyone who can reach it may run programs"
        )
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until asked to end. ``announce`` gets the URL once requests are answered.

    Raises CannotServe, StoreUnusable; StoreBroken when the store can no longer be trusted.
    """
    tokens = check_exposure(settings)
    listener = _listen(settings)
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fail(error: BaseException) -> None:
        if not failed.done():
            failed.set_exception(error)

    with contextlib.closing(listener):
        engine = SQLiteEngine(settings.data_dir, check=_check_directory)
        ring_bytes = min(RING_BYTES, settings.keep.size)
        async with open_store(engine, clock=_now, on_failure=fail, keep=settings.keep, ring_bytes=ring_bytes) as store:
            await _run(settings, store, tokens, listener, failed, announce)
        if failed.done():  # by the writes that were served last
            failed.result()


def _check_directory(directory: Path) -> None:
    """Refuse what would begin as an empty cluster and is none: agents would stop everything. Raises StoreUnusable."""
    check_finished(directory)
    database = directory / DATABASE
    # The original Plum has a folder of artifacts too, with nothing of ours in it.
    is_used = (directory / ARTIFACTS / FOLDER).exists() or (directory / f"{DATABASE}-wal").exists()
    if is_used and not (database.exists() and database.stat().st_size):
        raise StoreUnusable(
            f"{directory} has been used, but its database {database} is missing or empty: "
            "restore a backup (plumctl restore), or choose a new folder to begin anew"
        )


async def _run(
    settings: Settings,
    store: Store,
    tokens: Tokens | None,
    listener: socket.socket,
    failed: "asyncio.Future[None]",
    announce: Callable[[str], None],
) -> None:
    with usable(settings.data_dir):
        blobs = Blobs(settings.data_dir / ARTIFACTS, max_bytes=settings.max_artifact_bytes)
        backups = Backups(store, blobs, settings.data_dir / SCRATCH, clock=_now)
    leases = NodeLeases(store, monotonic=time.monotonic, clock=_now)
    rng = random.Random()
    uids = Uids(nanoseconds=time.time_ns, rng=rng)
    registry = Registry(store, leases, build_hooks(blobs.has), clock=_now, new_uid=uids, rng=rng)
    endpoint_leases = EndpointLeases(registry, monotonic=time.monotonic, clock=_now)
    unused = UnusedBlobs(registry, blobs)
    await _bootstrap(registry)
    ending = asyncio.Event()
    channels = Channels()
    parts = Parts(
        registry,
        blobs,
        unused,
        UsageStore(store, monotonic=time.monotonic, clock=_now),
        backups,
        tokens,
        is_local=_is_loopback(settings.host),
        cors=Cors(settings.cors_origins),
        endpoint_leases=endpoint_leases,
        heartbeat_ttl=settings.heartbeat_ttl,
        unready=lambda: "the server is shutting down" if ending.is_set() else store.committer.trouble,
        clock=_now,
        rng=rng,
        channels=channels,
    )
    server = _Server(_config(build_app(parts)))
    host, port = listener.getsockname()[:2]
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    expiring = asyncio.create_task(leases.run(), name="leases")
    silent = asyncio.create_task(endpoint_leases.run(), name="endpoint-leases")
    removing = asyncio.create_task(unused.run(), name="unused-blobs")
    asked = asyncio.create_task(end_requested(stdin=settings.until_eof), name="end")
    try:
        await _started(server, serving)
        announce(f"http://{f'[{host}]' if ':' in host else host}:{port}")
        done, _ = await asyncio.wait((asked, failed, serving), return_when=asyncio.FIRST_COMPLETED)
        log.info("ending: %s", asked.result() if asked in done else "a part of the server has ended")
        if failed in done:
            failed.result()
    finally:
        ending.set()
        expiring.cancel()
        silent.cancel()
        asked.cancel()
        store.watchers.end()
        channels.end()
        removing.cancel()
        server.should_exit = True
        await asyncio.gather(serving, expiring, silent, removing, asked, return_exceptions=True)


async def _started(server: "_Server", serving: "asyncio.Task[None]") -> None:
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn offers a flag, no event
        await asyncio.sleep(0.01)
    if serving.done():
        await serving


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the end is ours to order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        date_header=False,
        backlog=8192,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )


def _listen(settings: Settings) -> socket.socket:
    """The listening socket; taken first, so that a taken port is found before anything is touched."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only then; without it replies wait 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise CannotServe(
            f"--addr {settings.host}:{settings.port}: {os.strerror(error.errno or 0)}; choose another address"
        ) from error
    listener.set_inheritable(False)
    return listener


async def _bootstrap(registry: Registry) -> None:
    """The namespaces that are always there."""
    for name in PERMANENT_NAMESPACES:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        with contextlib.suppress(AlreadyExists):
            await registry.create(Target(NAMESPACES), Document(body, ()), Options(ACTOR.user, ACTOR.manager))


def spare_the_collector() -> None:
    """Let Python's cyclic collector look at what is new, and hardly ever at everything.

    Objects, events and connections live long and are no garbage; with thousands of watchers one look at all of
    them stops the server for a second. What circles there are (a few objects a connection) are young when they
    become garbage, or few.
    """
    gc.set_threshold(10_000, 10, 10_000)


def raise_file_limit() -> None:
    """Allow as many open files as the system lets us: each watch is a connection."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _now() -> datetime:
    return datetime.now(UTC)
