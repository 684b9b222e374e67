"""``plum-controllers``: the process that runs all control loops against one server."""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import click

import apiserver.api.kinds  # noqa: F401  (registers all kinds)
from apiserver.client.config import Config, ConfigError
from apiserver.client.credentials import with_files
from apiserver.client.kubeconfig import load
from apiserver.client.rest import RestClient
from apiserver.lifetime import end_requested
from controllers import endpoints, event_expiry, garbage, namespaces, nodelifecycle, scheduler, task
from controllers.manager import MANAGER, Manager
from controllers.metrics import Metrics

log = logging.getLogger("controllers")

FIELD_MANAGERS = {
    MANAGER,
    task.MANAGER,
    scheduler.MANAGER,
    nodelifecycle.MANAGER,
    endpoints.MANAGER,
    garbage.MANAGER,
    namespaces.MANAGER,
    event_expiry.MANAGER,
}


@click.command(context_settings={"auto_envvar_prefix": "PLUM", "help_option_names": ["-h", "--help"]})
@click.option("--server", default="", metavar="URL", help="The API server; by default that of the kubeconfig.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help="A file that holds the bearer token, read again when it changes, as are certificates; PLUM_TOKEN is the token "
    "itself.",
)
@click.option("--ca-file", type=click.Path(path_type=Path), help="Whose certificates an https server may have.")
@click.option("--client-cert", type=click.Path(path_type=Path), help="Certificate that says who we are.")
@click.option("--client-key", type=click.Path(path_type=Path), help="The key of that certificate.")
@click.option(
    "--metrics-addr", default="", metavar="HOST:PORT", help="Serve metrics for Prometheus there; :PORT means loopback."
)
@click.option("--until-eof", is_flag=True, hidden=True, help="End when standard input does.")
def main(
    *,
    server: str,
    token_file: Path | None,
    ca_file: Path | None,
    client_cert: Path | None,
    client_key: Path | None,
    metrics_addr: str,
    until_eof: bool,
) -> None:
    """Run Plum's control loops: tasks, scheduling, node lifecycle, services, garbage collection.

    Any number of these processes may run against one server: one acts, the others stand by.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # httpx tells every request at this level.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        config = with_files(
            load(os.environ, server=server), token_file=token_file, ca_file=ca_file, cert=client_cert, key=client_key
        )
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    asyncio.run(_run(config, _address(metrics_addr), until_eof=until_eof))


def _address(text: str) -> tuple[str, int] | None:
    if not text:
        return None
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise click.BadParameter(f"{text!r}: write HOST:PORT, for example :9100", param_hint="--metrics-addr")
    return host.strip("[]") or "127.0.0.1", int(port)


def _serve(stack: AsyncExitStack, metrics: Metrics, address: tuple[str, int]) -> None:
    try:
        log.info("metrics: %s", stack.enter_context(metrics.served(*address)))
    except OSError as error:
        host, port = address
        raise click.ClickException(f"--metrics-addr {host}:{port}: {error.strerror}; choose another address") from error


def _identity() -> str:
    """Unlike that of any other process, on whatever machine and in whatever container."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


async def _run(config: Config, metrics_address: tuple[str, int] | None, *, until_eof: bool) -> None:
    """Run until asked to end, or until a loop fails in a way that it must not. Waits for the server for ever."""
    async with AsyncExitStack() as stack:
        clients = {
            name: await stack.enter_async_context(RestClient(config, manager=name)) for name in sorted(FIELD_MANAGERS)
        }

        def client_for(manager: str, *, fence: Callable[[], str] | None = None) -> RestClient:
            return clients[manager].fenced(fence) if fence is not None else clients[manager]

        metrics = Metrics()
        if metrics_address is not None:
            _serve(stack, metrics, metrics_address)
        manager = Manager(client_for, identity=_identity(), metrics=metrics)
        work = asyncio.create_task(manager.run(_announce), name="manager")
        end = asyncio.create_task(end_requested(stdin=until_eof), name="end")
        await asyncio.wait({work, end}, return_when=asyncio.FIRST_COMPLETED)
        if end.done():
            log.info("ending: %s", end.result())
        for job in (work, end):
            job.cancel()
        _, failure = await asyncio.gather(end, work, return_exceptions=True)
        if isinstance(failure, Exception):
            raise failure


def _announce() -> None:
    click.echo("plum-controllers: running")


if __name__ == "__main__":
    main()
