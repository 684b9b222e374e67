"""``plumctl backup|restore``: everything into one file while the server works, and back while it does not."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, closing, contextmanager
from pathlib import Path

import click
import httpx
from click.core import ParameterSource

from apiserver.api.backups import Manifest, NotABackup, Reader
from apiserver.api.errors import ServiceUnavailable
from apiserver.client.rest import RestClient, raise_for_status
from plumctl.children import without_settings
from plumctl.cli import Failure, Session, pass_session
from plumctl.locks import try_lock
from plumctl.raw import unreachable
from plumctl.up import UP_LOCK

COPY_SECONDS = 3600.0
"""How long the server may take to make its copy, before anything comes."""

STALL_SECONDS = 120.0
"""How long nothing may come once it has begun."""


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--artifacts", is_flag=True, help="The files of all apps too.")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@pass_session
def backup(session: Session, file: Path, artifacts: bool, force: bool) -> None:
    """Write everything that the server holds into FILE, while it works.

    FILE is there only once it is whole and checked; until then it is FILE.partial.

    \b
      plumctl backup monday.tar --artifacts
    """
    try:
        _check_absent(file, force=force)
        with closing(_Partial(file)) as partial:
            manifest, size = session.run(lambda client: _receive(client, partial, artifacts=artifacts))
            partial.keep(force=force)
    except NotABackup as error:
        raise Failure(f"what the server sent is not a whole backup: {error}") from error
    except OSError as error:
        raise Failure(f"{file}: {error.strerror or error}") from error
    what = f"{manifest.objects} objects, {len(manifest.artifacts)} artifacts, {size} bytes"
    click.echo(f"{file}: version {manifest.version}, {what}")


def _check_absent(file: Path, *, force: bool) -> None:
    if not os.path.lexists(file):
        return
    if file.is_symlink() or not file.is_file():
        raise Failure(f"{file} is there and no ordinary file; choose another name")
    if not force:
        raise Failure(f"{file} exists; --force replaces it once the new backup is whole")


class _Partial:
    """``FILE.partial``, locked: what is written there is ours."""

    def __init__(self, file: Path) -> None:
        """Raises Failure, OSError."""
        self._file, self._path = file, file.with_name(f"{file.name}.partial")
        self._descriptor = try_lock(self._path)
        if self._descriptor < 0:
            raise Failure(f"{self._path} is being written by another plumctl backup")
        if not self._is_ours():
            os.close(self._descriptor)
            raise Failure(f"{self._path} was finished by another plumctl backup just now")
        os.fchmod(self._descriptor, 0o600)
        os.ftruncate(self._descriptor, 0)
        self._is_kept = False

    def _is_ours(self) -> bool:
        """Whether what we hold still has the name: it may have become somebody's FILE before we held it."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), os.stat(self._path))
        except FileNotFoundError:
            return False

    def write(self, data: bytes) -> None:
        """Append. Raises OSError."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def keep(self, *, force: bool) -> None:
        """Make it durable and give it its name. Raises Failure, OSError."""
        os.fsync(self._descriptor)
        _check_absent(self._file, force=force)
        self._path.replace(self._file)
        self._is_kept = True
        folder = os.open(self._file.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def close(self) -> None:
        """Let go of it; it is removed unless it was kept."""
        if not self._is_kept:
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


async def _receive(client: RestClient, partial: _Partial, *, artifacts: bool) -> tuple[Manifest, int]:
    """What the backup says, and its bytes. Raises ApiError, NotABackup, OSError."""
    query = {"artifacts": "true"} if artifacts else {}
    timeout = httpx.Timeout(30.0, connect=5.0, read=COPY_SECONDS)
    reader, size = Reader(), 0
    try:
        async with client.http.stream("GET", "/backup", params=query, timeout=timeout) as response:
            await _raise_for_status(response)
            length = int(response.headers.get("content-length") or 0)
            hidden = not sys.stderr.isatty()
            with click.progressbar(length=length, label="backup", file=sys.stderr, hidden=hidden) as bar:
                async with aclosing(_chunks(response)) as chunks:  # type: ignore[type-var]
                    async for chunk in chunks:
                        reader.feed(chunk)
                        partial.write(chunk)
                        size += len(chunk)
                        bar.update(len(chunk))
    except httpx.TransportError as error:
        if size:
            raise Failure(f"the connection broke before the backup was whole: {error}") from error
        raise unreachable(client, error) from error
    return reader.end(), size


async def _chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    chunks = response.aiter_raw()
    while True:
        try:
            async with asyncio.timeout(STALL_SECONDS):
                chunk = await anext(chunks, None)
        except TimeoutError:
            raise Failure(f"nothing has come from the server for {STALL_SECONDS:g} s") from None
        if chunk is None:
            return
        yield chunk


async def _raise_for_status(response: httpx.Response) -> None:
    try:
        await raise_for_status(response)
    except ServiceUnavailable as error:
        raise Failure(error.message) from error  # it runs, and has said why


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=Path("plum-data"),
    envvar="PLUM_DATA_DIR",
    help="The folder of plumctl up.",
    show_default=True,
)
@click.option("--server-data-dir", type=click.Path(path_type=Path), help="Instead: the folder of a plum-apiserver.")
@click.option("--replace", is_flag=True, help="Move a database that is there aside.")
@click.pass_context
def restore(context: click.Context, file: Path, data_dir: Path, server_data_dir: Path | None, replace: bool) -> None:
    """Make FILE the data of a server that does not run.

    Everything is checked before anything is changed. Versions go on far behind those of the backup, so that
    everybody who watches lists again.

    \b
      plumctl restore monday.tar --data-dir ./plum-data --replace
    """
    if server_data_dir is not None and context.get_parameter_source("data_dir") is ParameterSource.COMMANDLINE:
        raise click.UsageError("give --data-dir or --server-data-dir, not both")
    directory = (server_data_dir or data_dir / "server").absolute()
    # A server's folder may be that of an up, which starts its server again whenever it ends.
    holder = directory.parent if server_data_dir is None or (directory.parent / UP_LOCK).exists() else None
    command = [sys.executable, "-m", "apiserver.server.restore", str(file.absolute()), "--data-dir", str(directory)]
    try:
        with _held(holder):
            code = subprocess.run(
                [*command, *(["--replace"] if replace else [])], env=without_settings(os.environ), check=False
            ).returncode
    except OSError as error:
        raise Failure(str(error)) from error
    context.exit(code if code >= 0 else 1)


@contextmanager
def _held(folder: Path | None) -> Iterator[None]:
    """Keep ``plumctl up`` out of its folder meanwhile. Raises Failure, OSError."""
    if folder is None:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = try_lock(folder / UP_LOCK)
    if descriptor < 0:
        raise Failure(f"{folder} is in use by plumctl up; stop it, or choose another --data-dir")
    try:
        yield
    finally:
        os.close(descriptor)
