"""``plum-agent``: runs this machine's part of the fleet."""

import asyncio
import logging
import os
import random
import resource
import socket
import sys
from contextlib import ExitStack, suppress
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import click

import apiserver  # noqa: F401  (before httpx, which it keeps light)
from agent import artifacts, cgroups, ending, node, statuses
from agent.agent import MANAGER, Agent, Parts
from agent.artifacts import Artifacts
from agent.channel import Channel
from agent.folders import Folders, InUse, NewerFormat, OtherOwner
from agent.host import Host
from agent.logs.keeper import Keeper
from agent.node import Machine, Registration
from agent.ports import DEFAULT_RANGE, PortRange
from agent.preparations import ArchivePreparer
from agent.process_runtime import ProcessRuntime
from agent.usage import reports as usage
from apiserver.api.kinds.task import is_node_name
from apiserver.client.config import Config, ConfigError
from apiserver.client.credentials import with_files
from apiserver.client.rest import RestClient


class _PortRangeType(click.ParamType[PortRange]):
    name = "first-last"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> PortRange:
        """Read ``FIRST-LAST``."""
        try:
            return PortRange.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _node_name(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if value and not is_node_name(value):
        raise click.BadParameter(f"{value!r} is not a node name: letters, digits, '.', '_' and '-', at most 63")
    return value


def _server(ctx: click.Context, param: click.Parameter, value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.BadParameter(f"{value!r} is not an address of the form http://HOST:PORT")
    return value


def _address(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """An address that others can reach; empty: to be found out."""
    try:
        if value and ip_address(value).is_unspecified:
            raise click.BadParameter(f"{value!r} is every address and no particular one: give the one others reach")
    except ValueError:
        raise click.BadParameter(
            f"{value[:60]!r} is not an IP address: write one like 10.0.0.5, or leave --ip out to have it found out"
        ) from None
    return value


def _data_dir(ctx: click.Context, param: click.Parameter, value: str) -> Path | None:
    """The folder; an empty variable is none."""
    return Path(value) if value else None


@click.group(invoke_without_command=True, context_settings={"auto_envvar_prefix": "PLUM"})
@click.option(
    "--server",
    default="http://127.0.0.1:8080",
    show_default=True,
    envvar=["PLUM_SERVER", "CONTROLLER_BASE"],
    callback=_server,
    help="URL of the API server.",
)
@click.option(
    "--node",
    "name",
    default="",
    envvar=["PLUM_NODE", "AGENT_NODE_ID"],
    callback=_node_name,
    help="Name of this node.  [required]",
)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False),
    callback=_data_dir,
    envvar=["PLUM_DATA_DIR", "AGENT_DATA_DIR"],
    help="Where everything is kept.  [required]",
)
@click.option(
    "--port-range", type=_PortRangeType(), default=DEFAULT_RANGE, show_default=True, help="Ports given to apps."
)
@click.option(
    "--ip",
    default="",
    callback=_address,
    help="IP address under which others reach this node's apps.  [default: found out]",
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help="File with the bearer token; read again when it changes, as are certificates.",
)
@click.option("--ca-file", type=click.Path(path_type=Path), help="Whose certificates an https server may have.")
@click.option("--client-cert", type=click.Path(path_type=Path), help="Certificate that says who we are.")
@click.option("--client-key", type=click.Path(path_type=Path), help="The key of that certificate.")
@click.option("--token", envvar="PLUM_TOKEN", default="", hidden=True)
@click.option(
    "--max-artifact-bytes", type=click.IntRange(min=1), default=artifacts.MAX_BYTES, show_default=True,
    help="Largest archive that is downloaded.",
)  # fmt: skip
@click.option("--until-eof", is_flag=True, hidden=True)
@click.pass_context
def main(  # noqa: PLR0913 - a parameter an option
    ctx: click.Context,
    *,
    server: str,
    name: str,
    data_dir: Path | None,
    port_range: PortRange,
    ip: str,
    token_file: Path | None,
    token: str,
    ca_file: Path | None,
    client_cert: Path | None,
    client_key: Path | None,
    max_artifact_bytes: int,
    until_eof: bool,
) -> None:
    """Run the assignments of one node.

    When it ends, by TERM, Ctrl-C or otherwise, what it runs goes on, and the next agent of the same --data-dir takes
    it over. "plum-agent stop --drain" ends everything.

    \b
      plum-agent --server http://10.0.0.1:8080 --node nodeA --data-dir /var/lib/plum
      plum-agent stop --data-dir /var/lib/plum --drain
    """
    if ctx.invoked_subcommand:
        return
    if not name or data_dir is None:
        raise click.UsageError(f"Missing option '{'--data-dir' if name else '--node'}'.", ctx)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    config = Config(server.rstrip("/"), token)
    try:
        config = with_files(config, token_file=token_file, ca_file=ca_file, cert=client_cert, key=client_key)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    folders = Folders(data_dir)
    host = Host(name, config.server, ip or _own_address(server), port_range, os.environ)
    _allow_many_files()
    with ExitStack() as stack:
        try:
            stack.enter_context(folders.locked())
        except (InUse, OtherOwner) as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            raise click.ClickException(f"--data-dir {data_dir}: {error}") from error
        asyncio.run(_run(host, folders, config, max_artifact_bytes, until_eof))


async def _run(host: Host, folders: Folders, config: Config, max_bytes: int, until_eof: bool) -> None:
    runtime = ProcessRuntime(groups=cgroups.find(folders.root))
    async with (
        RestClient(config, manager=MANAGER) as client,
        RestClient(config, manager=MANAGER) as lease_client,
        RestClient(config, manager=MANAGER) as channel_client,
    ):
        archives = Artifacts(folders.cache, client.http, max_bytes=max_bytes, wanted=folders.digests)
        preparer = ArchivePreparer(archives)
        registration = Registration(
            lease_client, _machine(host, folders.identity(), runtime.boot_id), rng=random.Random()
        )
        parts = Parts(
            client,
            folders,
            runtime,
            preparer,
            registration,
            statuses.to_server(client.http, host.node, MANAGER),
            usage.to_server(client.http, host.node),
            Keeper(folders.root),
            Channel(channel_client.http, host.node, folders.root),
        )
        agent = Agent(host, parts)
        tending = asyncio.create_task(archives.tend(), name="cache")
        try:
            is_drained = await agent.run(
                ending.asked(folders, until_eof=until_eof),
                running=lambda: click.echo(f"plum-agent {host.node}: running"),
            )
            if is_drained:
                ending.confirm(folders)
        except NewerFormat as error:
            raise click.ClickException(str(error)) from error
        finally:
            tending.cancel()
            preparer.close()
            runtime.close()


def _allow_many_files() -> None:
    """Two descriptors an instance, and a cautious default of 1,024: take what the system lets us have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and (hard == resource.RLIM_INFINITY or soft < hard):
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _machine(host: Host, identity: str, boot_id: str) -> Machine:
    cpu, memory = node.capacity()
    return Machine(host.node, identity, host.ip, boot_id, _version(), str(host.port_range), cpu, memory)


def _version() -> str:
    try:
        return installed_version("plum")
    except PackageNotFoundError:
        return "unknown"


def _own_address(server: str) -> str:
    """The address from which this machine would reach the server; nothing is sent."""
    parts = urlsplit(server)
    try:
        family, _, _, _, target = socket.getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(target)
            return str(probe.getsockname()[0])
    except OSError:
        return "127.0.0.1"


main.add_command(ending.stop)


if __name__ == "__main__":
    main()
