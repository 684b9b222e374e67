"""``plum-controllers``: the process that runs all control loops against one server."""

import asyncio
import logging
import os
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import click

import apiserver.api.kinds  # noqa: F401  (registers all kinds)
from apiserver.client.config import Config, ConfigError, load
from apiserver.client.rest import RestClient
from apiserver.lifetime import end_requested
from controllers import event_expiry, garbage, nodelifecycle, scheduler, task
from controllers.manager import MANAGER, Manager

log = logging.getLogger("controllers")

FIELD_MANAGERS = {
    MANAGER,
    task.MANAGER,
    scheduler.MANAGER,
    nodelifecycle.MANAGER,
    garbage.MANAGER,
    event_expiry.MANAGER,
}


@click.command(context_settings={"auto_envvar_prefix": "PLUM", "help_option_names": ["-h", "--help"]})
@click.option("--server", default="", metavar="URL", help="The API server; by default that of the kubeconfig.")
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file that holds the bearer token; PLUM_TOKEN is the token itself.",
)
@click.option("--until-eof", is_flag=True, hidden=True, help="End when standard input does.")
def main(server: str, token_file: Path | None, until_eof: bool) -> None:
    """Run Plum's control loops: tasks, scheduling, node lifecycle, garbage collection."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # httpx tells every request at this level.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    asyncio.run(_run(_config(server, token_file), until_eof=until_eof))


def _config(server: str, token_file: Path | None) -> Config:
    try:
        config = load(os.environ, server=server)
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    if token_file is None:
        return config
    token = token_file.read_text(encoding="utf-8").strip()
    if not token:
        raise click.BadParameter(f"{token_file} is empty; it should hold the bearer token", param_hint="--token-file")
    return replace(config, token=token)


async def _run(config: Config, *, until_eof: bool) -> None:
    """Run until asked to end, or until a loop fails in a way that it must not. Waits for the server for ever."""
    async with AsyncExitStack() as stack:
        clients = {
            name: await stack.enter_async_context(RestClient(config, manager=name)) for name in sorted(FIELD_MANAGERS)
        }
        work = asyncio.create_task(Manager(clients.__getitem__).run(_announce), name="manager")
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
