"""``plumctl up``: everything on one machine, in the foreground."""

import asyncio
import contextlib
import os
import socket
import string
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from apiserver.client.config import ConfigError
from apiserver.client.kubeconfig import load
from apiserver.lifetime import end_requested
from plumctl.children import ChildFailed
from plumctl.cli import Failure, talk
from plumctl.local_cluster import Layout, LocalCluster
from plumctl.locks import is_free, try_lock

if TYPE_CHECKING:
    from plumctl.secured import Secured

UP_LOCK = "up.lock"
"""In the folder of an ``up``, which holds it."""

LEFTOVER_SECONDS = 60.0
"""How long the programs of an ``up`` that was killed may take to end."""

RENEW_SECONDS = 12 * 3600.0
"""How often certificates are looked at: they are renewed two months before their end."""


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
    cluster = LocalCluster(layout)
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


async def _renew(cluster: LocalCluster) -> None:
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        try:
            cluster.renew()
        except (OSError, ValueError) as error:
            talk(f"certificates are not renewed: {error}; trying again later")


def _last_error(log: str) -> str:
    """The child's own error if it printed one, else the end of its log."""
    errors = [line.removeprefix("error: ") for line in log.splitlines() if line.startswith("error: ")]
    return errors[-1] if errors else log
