"""``plum-apiserver``: the command line of the server."""

import asyncio
import logging
import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import click

from apiserver.server.serve import CannotServe, Settings, parse_address, raise_file_limit, serve, spare_the_collector
from apiserver.server.store.committer import StoreBroken
from apiserver.server.store.directory import StoreUnusable
from apiserver.server.store.retention import Retention


class Duration(click.ParamType[timedelta]):
    """A time such as ``90s``, ``30m``, ``24h`` or ``7d``."""

    name = "duration"
    _UNITS: ClassVar = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """See click."""
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"([0-9]{1,6})([smhd])", str(value))
        if not found:
            self.fail(f"{value!r} is not a duration: write a number and s, m, h or d, for example 24h", param, ctx)
        duration = timedelta(**{self._UNITS[found[2]]: int(found[1])})
        if duration < timedelta(minutes=1):
            self.fail(f"{value!r} is too short: give at least 1m", param, ctx)
        return duration


@click.command(context_settings={"auto_envvar_prefix": "PLUM", "show_default": True})
@click.option("--data-dir", type=click.Path(path_type=Path), required=True, help="Where everything is kept.")
@click.option("--addr", default="127.0.0.1:8080", help="HOST:PORT; without a host: loopback. Port 0 picks one.")
@click.option("--token-file", type=click.Path(path_type=Path), help="Bearer tokens, one token,user per line.")
@click.option("--insecure", is_flag=True, help="Serve other machines without authentication.")
@click.option("--max-artifact-bytes", type=click.IntRange(min=1), default=1 << 30, help="Limit of an upload.")
@click.option(
    "--history-bytes",
    type=click.IntRange(min=1 << 20),
    default=64 << 20,
    help="Size of the log of changes; it may hold as much as the objects do, if that is more.",
)
@click.option("--history-changes", type=click.IntRange(min=1000), default=1_000_000, help="Length of that log.")
@click.option("--history-age", type=Duration(), default="24h", help="Age of the oldest change in it.")
@click.option("--until-eof", is_flag=True, hidden=True, help="Also end with standard input.")
def main(
    *,
    data_dir: Path,
    addr: str,
    token_file: Path | None,
    insecure: bool,
    max_artifact_bytes: int,
    history_bytes: int,
    history_changes: int,
    history_age: timedelta,
    until_eof: bool,
) -> None:
    """Serve the Kubernetes API of Plum.

    \b
      plum-apiserver --data-dir ./data --addr 127.0.0.1:8080
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    raise_file_limit()
    spare_the_collector()
    try:
        host, port = parse_address(addr)
        keep = Retention(history_age, history_changes, history_bytes)
        settings = Settings(data_dir, host, port, token_file, insecure, max_artifact_bytes, until_eof, keep)
        asyncio.run(serve(settings, lambda url: click.echo(f"plum-apiserver: listening on {url}")))
    except (CannotServe, StoreUnusable) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    except StoreBroken as error:
        click.echo(f"error: the store failed and cannot be trusted: {error}; start the server again", err=True)
        sys.exit(3)


if __name__ == "__main__":
    main()
