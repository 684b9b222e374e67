"""``plum-apiserver``: the command line of the server."""

import asyncio
import logging
import sys
from pathlib import Path

import click

from apiserver.server.serve import CannotServe, Settings, parse_address, raise_file_limit, serve
from apiserver.server.store.engine import OutcomeUnknown
from apiserver.server.store.sqlite import StoreUnusable


@click.command(context_settings={"auto_envvar_prefix": "PLUM", "show_default": True})
@click.option("--data-dir", type=click.Path(path_type=Path), required=True, help="Where everything is kept.")
@click.option("--addr", default="127.0.0.1:8080", help="HOST:PORT; without a host: loopback. Port 0 picks one.")
@click.option("--token-file", type=click.Path(path_type=Path), help="Bearer tokens, one token,user per line.")
@click.option("--insecure", is_flag=True, help="Serve other machines without authentication.")
@click.option("--max-artifact-bytes", type=click.IntRange(min=1), default=1 << 30, help="Limit of an upload.")
@click.option("--until-eof", is_flag=True, hidden=True, help="Also end with standard input.")
def main(
    data_dir: Path, addr: str, token_file: Path | None, insecure: bool, max_artifact_bytes: int, until_eof: bool
) -> None:
    """Serve the Kubernetes API of Plum.

    \b
      plum-apiserver --data-dir ./data --addr 127.0.0.1:8080
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    raise_file_limit()
    try:
        host, port = parse_address(addr)
        settings = Settings(data_dir, host, port, token_file, insecure, max_artifact_bytes, until_eof)
        asyncio.run(serve(settings, lambda url: click.echo(f"plum-apiserver: listening on {url}")))
    except (CannotServe, StoreUnusable) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    except OutcomeUnknown as error:
        click.echo(f"error: the store failed and cannot be trusted: {error}; start the server again", err=True)
        sys.exit(3)


if __name__ == "__main__":
    main()
