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
from pathlib import Path
from urllib.parse import urlsplit

import click

from apiserver.api.conditions import is_true
from apiserver.api.errors import ApiError
from apiserver.api.kinds.node import Node
from apiserver.client.config import Config, ConfigError
from apiserver.client.kubeconfig import load, write_kubeconfig
from apiserver.client.rest import RestClient
from apiserver.lifetime import end_requested
from plumctl.children import Child, ChildFailed
from plumctl.cli import MANAGER, Failure, talk
from plumctl.locks import is_free, try_lock

UP_LOCK = "up.lock"
"""In the folder of an ``up``, which holds it."""

START_SECONDS = 60.0
AGENT_STOP_SECONDS = 40.0
STOP_SECONDS = 15.0
LEFTOVER_SECONDS = 60.0
"""How long the programs of an ``up`` that was killed may take to end."""

FIRST_PORT, PORTS_PER_NODE = 20_000, 400


@dataclass(frozen=True)
class Layout:
    """What ``up`` is told, and where things are under its folder."""

    directory: Path
    addr: str
    nodes: tuple[str, ...]
    token_file: Path | None
    insecure: bool

    @property
    def token(self) -> str:
        """The token that our own programs use: the first of the file."""
        if self.token_file is None:
            return ""
        lines = (line.strip() for line in self.token_file.read_text(encoding="utf-8").splitlines())
        return next((line.partition(",")[0] for line in lines if line and not line.startswith("#")), "")

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
    help="HOST:PORT of the API; :PORT means loopback, and all addresses with --token-file or --insecure.",
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
@click.option("--insecure", is_flag=True, envvar="PLUM_INSECURE", help="Serve other machines without authentication.")
@click.option("--until-eof", is_flag=True, envvar="PLUM_UNTIL_EOF", hidden=True, help="Also end with standard input.")
def up(data_dir: Path, addr: str, nodes: int, token_file: Path | None, insecure: bool, until_eof: bool) -> None:
    """Run the server, the controllers and some nodes on this machine until Ctrl-C.

    Prints one line, "ready: URL", when the API answers and the nodes are Ready.

    \b
      plumctl up
      plumctl up --data-dir ./plum-data --addr 127.0.0.1:9090 --nodes 3
    """
    names = tuple(f"node{letter}" for letter in string.ascii_uppercase[:nodes])
    try:
        with _only_one(data_dir.absolute(), names):
            layout = Layout(data_dir.absolute(), _settled(addr, data_dir), names, token_file, insecure)
            asyncio.run(_up(layout, until_eof=until_eof))
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{error}; check --data-dir and --token-file") from error


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
    try:
        await asyncio.wait((asked, starting), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            click.echo(f"ready: {starting.result()}")
            sys.stdout.flush()
            talk(f"stopping: {await asked}")
    except ChildFailed as error:
        raise Failure(_last_error(str(error))) from error
    finally:
        starting.cancel()
        asked.cancel()
        await asyncio.gather(starting, asked, return_exceptions=True)
        await cluster.stop()


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

    async def start(self) -> str:
        """Start everything; the URL once the nodes are Ready. Raises ChildFailed, Failure."""
        layout = self._layout
        flags = ["--data-dir", str(layout.directory / "server"), "--addr", layout.addr]
        flags += ["--token-file", str(layout.token_file)] if layout.token_file else []
        flags += ["--insecure"] if layout.insecure else []
        self._server = self._child("apiserver", "apiserver.server", flags)
        url = (await self._server.start(START_SECONDS)).split()[-1]
        # Should it have to be started again, then at the same address.
        self._server.command = [*self._server.command, "--addr", url.removeprefix("http://")]
        local = url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
        write_kubeconfig(layout.directory / "kubeconfig", local, layout.token)
        self._controllers = self._child("controllers", "controllers", ["--server", local])
        self._agents = [self._agent(name, index, local) for index, name in enumerate(layout.nodes)]
        await asyncio.gather(*(child.start(START_SECONDS) for child in (self._controllers, *self._agents)))
        await self._nodes_ready(local)
        return url

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
        return self._child(f"agent-{name}", "agent", flags)

    def _child(self, name: str, module: str, flags: list[str]) -> Child:
        command = [sys.executable, "-m", module, *flags, "--until-eof"]
        environ = {"PLUM_TOKEN": self._layout.token} if self._layout.token else {}
        return Child(name, command, self._layout.directory / "logs" / f"{name}.log", environ)

    async def _nodes_ready(self, server: str) -> None:
        config = Config(server, self._layout.token)
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
