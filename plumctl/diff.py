"""``plumctl diff``: what applying files would change, as the server would store it."""

import os
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from apiserver.api.errors import NotFound
from apiserver.api.meta import Body
from apiserver.client.rest import RestClient
from plumctl.apply import Applying, coming_namespaces, load, matching, present, send_apply
from plumctl.cli import Failure, Session, namespace_option, pass_session
from plumctl.flags import Command, manager_option
from plumctl.manifests import Manifest
from plumctl.printers import as_yaml

VARIABLES = ("PLUM_EXTERNAL_DIFF", "KUBECTL_EXTERNAL_DIFF")


class CannotCompare(Failure):
    """Whatever goes wrong: exit code 1 says that there are differences."""

    exit_code = 2


@click.command(cls=Command)
@click.option(
    "-f", "--filename", "paths", multiple=True, required=True, help="A file, a folder, or - for standard input."
)
@click.option("-R", "--recursive", is_flag=True, expose_value=False, hidden=True)
@click.option("-l", "--selector", default="", help="Only the objects that a label selector finds.")
@click.option("--server-side", is_flag=True, expose_value=False, help="What is done anyway.")
@click.option("--force-conflicts", is_flag=True, help="As if fields that other managers own were taken over.")
@click.option("--show-managed-fields", is_flag=True, help="Also show who owns which field.")
@manager_option
@namespace_option
@pass_session
def diff(
    session: Session,
    *,
    paths: tuple[str, ...],
    selector: str,
    force_conflicts: bool,
    show_managed_fields: bool,
    manager: str,
    namespace: str,
) -> int:
    """Show what plumctl apply would change. Exit code 0: nothing, 1: something, above: it cannot be told.

    PLUM_EXTERNAL_DIFF or KUBECTL_EXTERNAL_DIFF names another program than diff -u -N.

    \b
      plumctl diff -f manifests/hello
      KUBECTL_EXTERNAL_DIFF='git diff --no-index' plumctl diff -f task.yaml
    """
    how = Applying(manager, force_conflicts, "server")
    try:
        manifests = matching(load(session, paths, namespace), selector)
        with tempfile.TemporaryDirectory(prefix="LIVE-") as live, tempfile.TemporaryDirectory(prefix="MERGED-") as new:
            folders = Path(live), Path(new)
            session.run(lambda client: _write(client, manifests, how, folders, managed=show_managed_fields))
            return compare(live, new)
    except Failure as failure:
        raise CannotCompare(failure.message) from failure


async def _write(
    client: RestClient, manifests: Sequence[Manifest], how: Applying, folders: tuple[Path, Path], *, managed: bool
) -> None:
    """Each object as it is, and as it would be, into a file of its own. Raises ApiError."""
    live, new = folders
    coming = coming_namespaces(manifests)
    for manifest in manifests:
        before = await present(client, manifest)
        try:
            after = await send_apply(client, manifest, how)
        except NotFound as error:
            if error.details.kind != "namespaces" or manifest.namespace not in coming:
                raise
            after = manifest.body  # its namespace is among the manifests
        name = file_name(manifest)
        (live / name).write_text(shown(before, managed=managed) if before else "")
        (new / name).write_text(shown(after, managed=managed))


def file_name(manifest: Manifest) -> str:
    """``plum.dev.v1.Task.default.hello``."""
    kind = manifest.kind
    parts = (kind.group, kind.version, kind.name, manifest.namespace, manifest.name)
    return ".".join(parts).replace("/", "_").lstrip(".")


def shown(body: Body, *, managed: bool) -> str:
    """An object as it is compared: YAML, its keys in order, without what differs with every write."""
    hidden = () if managed else ("managedFields",)
    metadata = {key: value for key, value in body["metadata"].items() if key not in hidden}
    return f"{as_yaml(_ordered(dict(body, metadata=metadata)))}\n"


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value)}
    return [_ordered(item) for item in value] if isinstance(value, list) else value


def compare(live: str, new: str) -> int:
    """Let the program show how the folders differ; 1 if they do. Raises Failure."""
    external = next((os.environ[name] for name in VARIABLES if os.environ.get(name, "").strip()), "")
    try:
        command = [*(shlex.split(external) or ["diff", "-u", "-N"]), live, new]
        # Another program may page or paint: it gets the terminal itself.
        found = subprocess.run(command, stdout=None if external else subprocess.PIPE, check=False)
    except (OSError, ValueError) as error:
        raise Failure(f"cannot run the program that compares ({external or 'diff'}): {error}") from error
    if found.stdout:
        click.echo(found.stdout.decode("utf-8", "replace"), nl=False)
    if found.returncode not in (0, 1):
        raise Failure(f"the program that compares ({external or 'diff'}) ended with code {found.returncode}")
    return found.returncode
