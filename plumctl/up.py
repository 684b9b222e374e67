"""``plumctl up``: everything on one machine, in the foreground."""

import asyncio
import contextlib
import os
import socket
import string
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from apiserver.api.conditions import is_true
from apiserver.api.errors import ApiError
from apiserver.api.kinds.node import Node
from apiserver.client.config import Config, ConfigError, Tls
from apiserver.client.kubeconfig import load, write_kubeconfig
from apiserver.client.rest import RestClient
from apiserver.lifetime import end_requested
from plumctl.children import Child, ChildFailed
from plumctl.cli import MANAGER, Failure, talk
from plumctl.locks import is_free, try_lock

if TYPE_CHECKING:
    from plumctl.secured import Secured

UP_LOCK = "up.lock"
"""In the folder of an ``up``, which holds it."""

START_SECONDS = 60.0
AGENT_STOP_SECONDS = 40.0
STOP_SECONDS = 15.0
LEFTOVER_SECONDS = 60.0
"""How long the programs of an ``up`` that was killed may take to end."""

RENEW_SECONDS = 12 * 3600.0
"""How often certificates are looked at: they are renewed two months before their end."""

FIRST_PORT, PORTS_PER_NODE = 20_000, 400


@dataclass(frozen=True)
class Layout:
    """What ``up`` is told, and where things are under its folder."""

    directory: Path
    addr: str
    nodes: tuple[str, ...]
    token_file: Path | None
    insecure: bool
    secured: "Secured | None" = None
    """The certificates, with TLS."""

    @property
    def token(self) -> str:
        """The token that our own programs use: the first of the file; with TLS they have certificates."""
        if self.token_file is None or self.secured is not None:
            return ""
        lines = (line.strip() for line in self.token_file.read_text(encoding="utf-8").splitlines())
        return next((line.partition(",")[0] for line in lines if line and not line.startswith("#")), "")

    @property
    def tls(self) -> Tls:
        """What the one who uses all this trusts and shows."""
        return self.secured.admin if self.secured is not None else Tls()

    def flags(self, program: str) -> list[str]:
        """How a program shows who it is."""
        return self.secured.flags(program) if self.secured is not None else []

    def node(self, name: str) -> Path:
        """A node's folder."""
        return self.directory / "nodes" / name


@click.command()
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=Path("plum-data"),
    envvar=["PLUM_DATA_DIR", "CONTROLLER_DATA_DIR"],
    show_default=True,
)
@click.option(
    "--addr",
    default="127.0.0.1:8080",
    envvar=["PLUM_ADDR", "CONTROLLER_ADDR"],
    help="HOST:PORT of the API; :PORT means loopback, and all addresses with --tls, --token-file or --insecure.",
    show_default=True,
)
@click.option(
    "--nodes",
    type=click.IntRange(1, 26),
    default=2,
    envvar="PLUM_NODES",
    help="How many nodes: nodeA, nodeB, …",
    show_default=True,
)
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="PLUM_TOKEN_FILE",
    help="Demand tokens: one token,user a line.",
)
@click.option(
    "--tls", is_flag=True, envvar="PLUM_TLS", help="Serve https, and know everybody by certificate; makes an authority."
)
@click.option(
    "--tls-san",
    "sans",
    multiple=True,
    envvar="PLUM_TLS_SAN",
    metavar="NAME",
    help="With --tls: one more name or address under which the server is asked for.",
)
@click.option("--insecure", is_flag=True, envvar="PLUM_INSECURE", help="Serve other machines without authentication.")
@click.option("--until-eof", is_flag=True, envvar="PLUM_UNTIL_EOF", hidden=True, help="Also end with standard input.")
def up(
    *,
    data_dir: Path,
    addr: str,
    nodes: int,
    token_file: Path | None,
    tls: bool,
    sans: tuple[str, ...],
    insecure: bool,
    until_eof: bool,
) -> None:
    """Run the server, the controllers and some nodes on this machine until Ctrl-C.

    Prints one line, "ready: URL", when the API answers and the nodes are Ready.

    \b
      plumctl up
      plumctl up --data-dir ./plum-data --addr 127.0.0.1:9090 --nodes 3
      plumctl up --tls --addr :8443
    """
    names = tuple(f"node{letter}" for letter in string.ascii_uppercase[:nodes])
    try:
        with _only_one(data_dir.absolute(), names):
            addr = _settled(addr, data_dir)
            secured = _secured(data_dir.absolute(), addr, names, sans) if tls else None
            layout = Layout(data_dir.absolute(), addr, names, token_file, insecure, secured)
            asyncio.run(_up(layout, until_eof=until_eof))
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{error}; check --data-dir and --token-file") from error


def _secured(directory: Path, addr: str, nodes: tuple[str, ...], sans: tuple[str, ...]) -> "Secured":
    """Raises Failure, OSError."""
    from plumctl.secured import Secured  # noqa: PLC0415 - no other command needs what makes certificates

    try:
        host = addr.rpartition(":")[0].strip("[]")
        return Secured(directory, host, nodes, sans, clock=lambda: datetime.now(UTC))
    except ValueError as error:
        raise Failure(f"--tls: no certificate for these names: {error}; check --addr and --tls-san") from error


def _settled(addr: str, directory: Path) -> str:
    """The address; for port 0 that of the last time if it is still free, so that a kubeconfig stays right."""
    host, _, port = addr.rpartition(":")
    if port != "0" or not (directory / "kubeconfig").exists():
        return addr
    with contextlib.suppress(ConfigError, OSError, ValueError):
        last = urlsplit(load({}, kubeconfig=str(directory / "kubeconfig")).server)
        if last.hostname == host and last.port:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, last.port))
            return f"{host}:{last.port}"
    return addr


@contextlib.contextmanager
def _only_one(directory: Path, nodes: Sequence[str]) -> Iterator[None]:
    """Hold the folder; wait for what an ``up`` that was killed left behind. Raises Failure, OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = try_lock(directory / UP_LOCK)
    if descriptor < 0:
        raise Failure(f"{directory} is in use by another plumctl up; stop that one, or choose another --data-dir")
    try:
        deadline = time.monotonic() + LEFTOVER_SECONDS
        # The locks that our programs hold while they run.
        for path in (directory / "server" / "lock", *(directory / "nodes" / name / "lock" for name in nodes)):
            while path.exists() and not is_free(path):
                if time.monotonic() > deadline:
                    raise Failure(f"{path.parent} is in use by another program; stop it, or choose another --data-dir")
                time.sleep(0.1)
        yield
    finally:
        os.close(descriptor)


async def _up(layout: Layout, *, until_eof: bool) -> None:
    cluster = _Cluster(layout)
    asked = asyncio.create_task(end_requested(stdin=until_eof))
    starting = asyncio.create_task(cluster.start())
    renewing = asyncio.create_task(_renew(cluster))
    try:
        await asyncio.wait((asked, starting), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            click.echo(f"ready: {starting.result()}")
            sys.stdout.flush()
            talk(f"stopping: {await asked}")
    except ChildFailed as error:
        raise Failure(_last_error(str(error))) from error
    finally:
        for task in (starting, asked, renewing):
            task.cancel()
        await asyncio.gather(starting, asked, renewing, return_exceptions=True)
        await cluster.stop()


async def _renew(cluster: "_Cluster") -> None:
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        try:
            cluster.renew()
        except OSError as error:
            talk(f"certificates are not renewed: {error}; trying again later")


def _last_error(log: str) -> str:
    """The child's own error if it printed one, else the end of its log."""
    errors = [line.removeprefix("error: ") for line in log.splitlines() if line.startswith("error: ")]
    return errors[-1] if errors else log


class _Cluster:
    """The programs, in the order they need each other."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._server: Child | None = None
        self._controllers: Child | None = None
        self._agents: list[Child] = []
        self._local = ""
        """The server's URL for this machine."""

    async def start(self) -> str:
        """Start everything; the URL once the nodes are Ready. Raises ChildFailed, Failure."""
        layout = self._layout
        flags = ["--data-dir", str(layout.directory / "server"), "--addr", layout.addr]
        flags += ["--token-file", str(layout.token_file)] if layout.token_file else []
        flags += ["--insecure"] if layout.insecure else []
        flags += layout.secured.server_flags if layout.secured is not None else []
        self._server = self._child("apiserver", "apiserver.server", flags)
        url = (await self._server.start(START_SECONDS)).split()[-1]
        # Should it have to be started again, then at the same address.
        self._server.command = [*self._server.command, "--addr", urlsplit(url).netloc]
        self._local = local = url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
        self._write_kubeconfig()
        flags = ["--server", local, *layout.flags("controllers")]
        self._controllers = self._child("controllers", "controllers", flags)
        self._agents = [self._agent(name, index, local) for index, name in enumerate(layout.nodes)]
        await asyncio.gather(*(child.start(START_SECONDS) for child in (self._controllers, *self._agents)))
        await self._nodes_ready(local)
        return url

    def renew(self) -> None:
        """Renew the certificates that come to their end; the programs read theirs again. Raises OSError."""
        if self._layout.secured is not None and self._local:
            self._layout.secured.renew()
            self._write_kubeconfig()

    def _write_kubeconfig(self) -> None:
        layout = self._layout
        path = layout.directory / "kubeconfig"
        if layout.secured is None:
            write_kubeconfig(path, self._local, layout.token)
        else:
            write_kubeconfig(path, self._local, user="admin", tls=layout.tls)

    async def stop(self) -> None:
        """Agents first, which stop what they run; then the controllers, then the server."""
        await asyncio.gather(*(self._drain(agent) for agent in self._agents))
        for child in (self._controllers, self._server):
            if child is not None:
                await child.stop(STOP_SECONDS)

    async def _drain(self, agent: Child) -> None:
        """End the agent after all that it runs. If it was killed, that runs on: another one sees to it."""
        if not await agent.stop(AGENT_STOP_SECONDS):
            talk(f"{agent.name} did not end in order: starting it again to stop what it ran")
            with contextlib.suppress(ChildFailed):
                await agent.start(START_SECONDS)
                await agent.stop(AGENT_STOP_SECONDS)

    def _agent(self, name: str, index: int, server: str) -> Child:
        first = FIRST_PORT + index * PORTS_PER_NODE
        flags = ["--server", server, "--node", name, "--data-dir", str(self._layout.node(name))]
        flags += ["--port-range", f"{first}-{first + PORTS_PER_NODE - 1}", "--ip", "127.0.0.1"]
        flags += self._layout.flags(f"node-{name}")
        return self._child(f"agent-{name}", "agent", flags)

    def _child(self, name: str, module: str, flags: list[str]) -> Child:
        command = [sys.executable, "-m", module, *flags, "--until-eof"]
        environ = {"PLUM_TOKEN": self._layout.token} if self._layout.token else {}
        return Child(name, command, self._layout.directory / "logs" / f"{name}.log", environ)

    async def _nodes_ready(self, server: str) -> None:
        config = Config(server, self._layout.token, tls=self._layout.tls)
        async with RestClient(config, manager=MANAGER) as client:
            deadline = time.monotonic() + START_SECONDS
            waiting = set(self._layout.nodes)
            while waiting:
                with contextlib.suppress(ApiError):
                    nodes = (await client.list(Node)).items
                    waiting -= {n.metadata.name for n in nodes if is_true(n.status.conditions, "Ready")}
                if time.monotonic() > deadline:
                    silent = ", ".join(sorted(waiting))
                    logs = self._layout.directory / "logs"
                    raise Failure(f"not Ready after {START_SECONDS:g} s: {silent}; their logs are in {logs}")
                await asyncio.sleep(0.05 if waiting else 0)
