"""``plum-apiserver``: the command line of the server."""

import asyncio
import logging
import os
import sys
from datetime import timedelta
from pathlib import Path

import click

from apiserver.server import original
from apiserver.server.http.ui_files import BUILT
from apiserver.server.options import Duration, Origin, data_dir_or_original
from apiserver.server.serve import (
    UI_ORIGINS,
    CannotServe,
    Settings,
    parse_address,
    raise_file_limit,
    serve,
    spare_the_collector,
)
from apiserver.server.store.committer import StoreBroken
from apiserver.server.store.directory import StoreUnusable
from apiserver.server.store.retention import Retention


@click.command(context_settings={"auto_envvar_prefix": "PLUM", "show_default": True})
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    envvar=["PLUM_DATA_DIR", "CONTROLLER_DATA_DIR"],
    callback=data_dir_or_original,
    help="Where everything is kept.  [required]",
)
@click.option(
    "--addr",
    default="127.0.0.1:8080",
    envvar=["PLUM_ADDR", "CONTROLLER_ADDR"],
    help="HOST:PORT. :PORT means loopback, and all of this machine's addresses with --token-file, --client-ca or "
    "--insecure. Port 0 picks one.",
)
@click.option(
    "--token-file", type=click.Path(path_type=Path), help='Bearer tokens, one token,user,uid,"group1,group2" per line.'
)
@click.option("--tls-cert", type=click.Path(path_type=Path), help="Serve https: the certificate, in PEM form.")
@click.option("--tls-key", type=click.Path(path_type=Path), help="The key of that certificate.")
@click.option(
    "--client-ca",
    type=click.Path(path_type=Path),
    help="Take client certificates of this authority: CN is the user, O are the groups.",
)
@click.option("--insecure", is_flag=True, help="Serve other machines without authentication.")
@click.option(
    "--cors-origin",
    "cors_origins",
    type=Origin(),
    multiple=True,
    default=UI_ORIGINS,
    envvar="PLUM_CORS_ORIGIN",
    help="Whose web pages may use the API from a browser; * for any. May be given several times.",
)
@click.option(
    "--heartbeat-ttl",
    type=click.IntRange(1, 3600),
    default=15,
    envvar=["PLUM_HEARTBEAT_TTL", "HEARTBEAT_TTL_SEC"],
    help="Seconds for which a heartbeat of an original agent counts.",
)
@click.option("--max-artifact-bytes", type=click.IntRange(min=1), default=1 << 30, help="Limit of an upload.")
@click.option(
    "--history-bytes",
    type=click.IntRange(min=1 << 20),
    default=64 << 20,
    help="Size of the log of changes; it may hold as much as the objects do, if that is more.",
)
@click.option("--history-changes", type=click.IntRange(min=1000), default=1_000_000, help="Length of that log.")
@click.option("--history-age", type=Duration(), default="24h", help="Age of the oldest change in it.")
@click.option("--ui-dir", type=click.Path(path_type=Path), default=BUILT, hidden=True, help="The built web UI.")
@click.option("--until-eof", is_flag=True, hidden=True, help="Also end with standard input.")
def main(  # noqa: PLR0913 - a parameter an option
    *,
    data_dir: Path,
    addr: str,
    token_file: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    client_ca: Path | None,
    insecure: bool,
    cors_origins: tuple[str, ...],
    heartbeat_ttl: int,
    max_artifact_bytes: int,
    history_bytes: int,
    history_changes: int,
    history_age: timedelta,
    ui_dir: Path,
    until_eof: bool,
) -> None:
    """Serve the Kubernetes API of Plum.

    \b
      plum-apiserver --data-dir ./data --addr 127.0.0.1:8080
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for note in original.notes(os.environ):
        logging.getLogger(__name__).warning("%s", note)
    raise_file_limit()
    spare_the_collector()
    try:
        host, port = parse_address(addr, is_open=insecure or token_file is not None or client_ca is not None)
        settings = Settings(
            data_dir,
            host,
            port,
            token_file,
            insecure,
            max_artifact_bytes,
            until_eof,
            Retention(history_age, history_changes, history_bytes),
            heartbeat_ttl=heartbeat_ttl,
            cors_origins=cors_origins,
            tls_cert=tls_cert,
            tls_key=tls_key,
            client_ca=client_ca,
            ui_dir=ui_dir,
        )
        asyncio.run(serve(settings, lambda url: click.echo(f"plum-apiserver: listening on {url}")))
    except (CannotServe, StoreUnusable) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    except StoreBroken as error:
        click.echo(f"error: the store failed and cannot be trusted: {error}; start the server again", err=True)
        sys.exit(3)


if __name__ == "__main__":
    main()
