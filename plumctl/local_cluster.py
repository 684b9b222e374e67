"""The programs of an ``up``: how they are called, and the order in which they need each other."""

import asyncio
import contextlib
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from apiserver.api.conditions import is_true
from apiserver.api.errors import ApiError
from apiserver.api.kinds.node import Node
from apiserver.client.config import Config, Tls
from apiserver.client.kubeconfig import write_kubeconfig
from apiserver.client.rest import RestClient
from plumctl.children import Child, ChildFailed
from plumctl.cli import MANAGER, Failure, talk

if TYPE_CHECKING:
    from plumctl.secured import Secured

START_SECONDS = 60.0
AGENT_STOP_SECONDS = 40.0
STOP_SECONDS = 15.0
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


class LocalCluster:
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
