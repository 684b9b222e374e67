"""``plumctl app push``: a folder or a zip to the server, once per content."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import click
import httpx

from apiserver.api.kinds.app import App, AppSpec, app_object_name, artifact_path
from apiserver.api.package import NotAnApp
from apiserver.client.rest import RestClient, raise_for_status
from plumctl.archive import Archive, inspect, pack
from plumctl.cli import Failure, Session, namespace_option, pass_session
from plumctl.raw import unreachable

CHUNK = 256 * 1024
UPLOAD_SECONDS = 120.0
"""How long the server may take for one chunk, or to answer after the last one."""


@click.group()
def app() -> None:
    """Apps: zip archives with a start command."""


@app.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@namespace_option
@pass_session
def push(session: Session, path: Path, namespace: str) -> None:
    """Upload a folder (or a zip) with start.sh and meta.ini as an app.

    \b
      plumctl app push manifests/hello/app
    """
    with tempfile.TemporaryDirectory() as scratch:
        try:
            packed = path
            if path.is_dir():
                packed = Path(scratch) / "app.zip"
                pack(path, packed)
            archive = inspect(packed)
        except (NotAnApp, OSError) as error:
            raise Failure(str(error).replace(f"{scratch}/app.zip", str(path))) from error
        session.run(lambda client: _push(client, archive, namespace))


async def _push(client: RestClient, archive: Archive, namespace: str) -> None:
    try:
        found = await client.http.head(artifact_path(archive.sha256))
        if found.status_code == 404:
            await _upload(client, archive)
        else:
            await raise_for_status(found)
    except httpx.TransportError as error:
        raise unreachable(client, error) from error
    meta = archive.meta
    name = app_object_name(meta.name, meta.version, archive.sha256)
    spec = AppSpec(
        name=meta.name, version=meta.version, sha256=archive.sha256, size_bytes=archive.size, services=meta.services
    ).model_dump(mode="json", by_alias=True)
    before = await client.list(App, namespace=namespace or client.config.namespace, fields=f"metadata.name={name}")
    await client.apply(App, name, {"spec": spec}, namespace=namespace)
    click.echo(f"app/{name} {'unchanged' if before.items else 'pushed'}")


async def _upload(client: RestClient, archive: Archive) -> None:
    timeout = httpx.Timeout(UPLOAD_SECONDS, connect=5.0)
    with click.progressbar(
        length=archive.size,
        label=f"{archive.meta.name} {archive.meta.version}",
        file=sys.stderr,
        hidden=not sys.stderr.isatty(),
    ) as bar:

        async def chunks() -> AsyncIterator[bytes]:
            with archive.path.open("rb") as file:
                while chunk := await asyncio.to_thread(file.read, CHUNK):
                    yield chunk
                    bar.update(len(chunk))

        response = await client.http.put(
            artifact_path(archive.sha256),
            content=chunks(),
            headers={"content-length": str(archive.size)},
            timeout=timeout,
        )
    await raise_for_status(response)
