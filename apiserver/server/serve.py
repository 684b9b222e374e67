"""Start and end of the server: settings in, a listening socket out, everything released at the end."""

import asyncio
import contextlib
import gc
import ipaddress
import logging
import random
import resource
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from apiserver.api.errors import AlreadyExists
from apiserver.api.kinds.namespace import NAMESPACES
from apiserver.api.machinery.documents import Document
from apiserver.lifetime import end_requested
from apiserver.server.backup import SCRATCH, Backups
from apiserver.server.blobs import FOLDER, Blobs
from apiserver.server.channels import Channels
from apiserver.server.endpoint_leases import EndpointLeases
from apiserver.server.http.app import Parts, build_app
from apiserver.server.http.auth import Authenticator, read_token_file
from apiserver.server.http.cors import Cors
from apiserver.server.http.ui_files import BUILT
from apiserver.server.leases import ACTOR, NodeLeases
from apiserver.server.listening import CannotListen, HttpServer, listen
from apiserver.server.registry import Options, Registry, Target
from apiserver.server.replaced_files import ReplacedFiles, look_for_ever
from apiserver.server.restore import check_finished
from apiserver.server.store.cache import RING_BYTES
from apiserver.server.store.directory import StoreUnusable, usable
from apiserver.server.store.retention import Retention
from apiserver.server.store.sqlite import DATABASE, SQLiteEngine
from apiserver.server.store.store import Store, open_store
from apiserver.server.strategies import PERMANENT_NAMESPACES, build_hooks
from apiserver.server.tls import NewestContext, TlsFiles, TlsUnusable, tls_files
from apiserver.server.uids import Uids
from apiserver.server.unused_blobs import UnusedBlobs
from apiserver.server.usage import UsageStore

log = logging.getLogger(__name__)

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
    tls_cert: Path | None = None
    tls_key: Path | None = None
    client_ca: Path | None = None
    """Whose client certificates say who asks."""
    ui_dir: Path = BUILT
    """Where the build of the web UI left its files."""

    @property
    def asks_who(self) -> bool:
        """Whether everybody has to show who they are."""
        return self.token_file is not None or self.client_ca is not None


class CannotServe(Exception):
    """The settings cannot be served; the message says why and what to do."""


def parse_address(text: str, *, is_open: bool) -> tuple[str, int]:
    """``HOST:PORT`` or ``:PORT``, which means all addresses of the machine (of IPv4) where the server ``is_open``
    to others, else loopback. Raises CannotServe."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise CannotServe(f"--addr {text!r}: write HOST:PORT, for example 127.0.0.1:8080")
    return host.strip("[]") or ("0.0.0.0" if is_open else "127.0.0.1"), int(port)


@dataclass(frozen=True)
class Doors:
    """Who is let in, and over what."""

    authenticator: Authenticator | None
    context: NewestContext | None
    watched: tuple[ReplacedFiles, ...]
    """What of it is read again when it is replaced."""


def check_exposure(settings: Settings) -> Doors:
    """What the settings let in. Raises CannotServe for an open door to other machines, or files that cannot be used."""
    if not settings.asks_who and not settings.insecure and not _is_loopback(settings.host):
        raise CannotServe(
            f"--addr {settings.host}:{settings.port} is open to other machines: give --token-file or --client-ca, "
            "or --insecure if anyone who can reach it may run programs"
        )
    watched: list[ReplacedFiles] = []
    try:
        files = tls_files(settings.tls_cert, settings.tls_key, settings.client_ca)
        context = _secured(files, watched) if files is not None else None
    except TlsUnusable as error:
        raise CannotServe(str(error)) from error
    authenticator = _asking(settings.token_file, watched) if settings.asks_who else None
    return Doors(authenticator, context, tuple(watched))


def _secured(files: TlsFiles, watched: list[ReplacedFiles]) -> NewestContext:
    context = NewestContext.of(files)
    watched.append(ReplacedFiles("certificates", files.paths, context.renew))
    return context


def _asking(token_file: Path | None, watched: list[ReplacedFiles]) -> Authenticator:
    """Raises CannotServe."""
    if token_file is None:
        return Authenticator(None)
    try:
        authenticator = Authenticator(read_token_file(token_file))
    except (OSError, ValueError) as error:
        raise CannotServe(f"--token-file: {error}") from error

    def read() -> None:
        authenticator.tokens = read_token_file(token_file)

    watched.append(ReplacedFiles("--token-file", (token_file,), read))
    return authenticator


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until asked to end. ``announce`` gets the URL once requests are answered.

    Raises CannotServe, StoreUnusable; StoreBroken when the store can no longer be trusted.
    """
    doors = check_exposure(settings)
    try:
        listener = listen(settings.host, settings.port)
    except CannotListen as error:
        raise CannotServe(str(error)) from error
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fail(error: BaseException) -> None:
        if not failed.done():
            failed.set_exception(error)

    with contextlib.closing(listener):
        engine = SQLiteEngine(settings.data_dir, check=_check_directory)
        ring_bytes = min(RING_BYTES, settings.keep.size)
        async with open_store(engine, clock=_now, on_failure=fail, keep=settings.keep, ring_bytes=ring_bytes) as store:
            await _run(settings, store, doors, listener, failed, announce)
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
    doors: Doors,
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
        doors.authenticator,
        is_local=_is_loopback(settings.host),
        cors=Cors(settings.cors_origins),
        endpoint_leases=endpoint_leases,
        heartbeat_ttl=settings.heartbeat_ttl,
        unready=lambda: "the server is shutting down" if ending.is_set() else store.committer.trouble,
        clock=_now,
        rng=rng,
        channels=channels,
        ui_dir=settings.ui_dir,
    )
    server = HttpServer(build_app(parts), doors.context)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    expiring = asyncio.create_task(leases.run(), name="leases")
    silent = asyncio.create_task(endpoint_leases.run(), name="endpoint-leases")
    removing = asyncio.create_task(unused.run(), name="unused-blobs")
    looking = asyncio.create_task(look_for_ever(doors.watched), name="replaced-files")
    asked = asyncio.create_task(end_requested(stdin=settings.until_eof), name="end")
    try:
        await server.until_started(serving)
        announce(server.url(listener))
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
        looking.cancel()
        server.should_exit = True
        await asyncio.gather(serving, expiring, silent, removing, looking, asked, return_exceptions=True)


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
