"""``plumctl edit``: an object in an editor, until what is saved can be stored."""

import os
import shlex
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click

from apiserver.api.errors import BadRequest, Conflict, Forbidden, Invalid, NotFound, UnsupportedMediaType
from apiserver.api.machinery.documents import MAX_BYTES
from apiserver.api.meta import Body
from apiserver.client.rest import MERGE, RestClient
from plumctl.cli import Failure, Session, pass_session, talk
from plumctl.editing import (
    BadEdit,
    Form,
    as_edited,
    as_file,
    changed_meanwhile,
    difference,
    read_edited,
    without_comments,
)
from plumctl.flags import Command, manager_option, write_query
from plumctl.raw import read, send
from plumctl.selection import Chosen, Selection, selection_options

EDITORS = ("KUBE_EDITOR", "VISUAL", "EDITOR")
_REFUSED = (Invalid, BadRequest, Conflict, Forbidden, NotFound, UnsupportedMediaType)
TRIES = 5


@dataclass(frozen=True)
class Editing:
    """One object that is edited."""

    chosen: Chosen
    subresource: str
    form: Form
    manager: str

    def path(self, client: RestClient) -> str:
        """Where it is read and written."""
        return self.chosen.path(client) + (f"/{self.subresource}" if self.subresource else "")


@click.command(cls=Command)
@click.argument("what", nargs=-1)
@click.option("-o", "--output", "form", type=click.Choice(["yaml", "json"]), default="yaml", help="What is edited.")
@click.option("--subresource", type=click.Choice(["status", "scale"]), help="Edit this instead of the object.")
@manager_option
@selection_options
@pass_session
def edit(
    session: Session, what: tuple[str, ...], form: Form, subresource: str | None, manager: str, selection: Selection
) -> None:
    """Edit objects in KUBE_EDITOR, VISUAL or EDITOR, one after the other.

    \b
      plumctl edit task/hello
      EDITOR=nano plumctl edit task/hello -o json
    """
    wanted = selection.checked(session, what)

    async def work(client: RestClient) -> list[tuple[Editing, Body]]:
        chosen = [Editing(one, subresource or "", form, manager) async for one in wanted.find(client)]
        return [(one, await read(client, one.path(client))) for one in chosen]

    found = session.run(work)
    if not found:
        talk("Edit cancelled, no objects found.")
    for editing, body in found:
        _edit(session, editing, body)


def _edit(session: Session, editing: Editing, original: Body) -> None:
    """Until it is stored, or given up. Raises Failure; then what was saved is in a file that is named."""
    shown, reasons = as_edited(original, editing.form), list[str]()
    while True:
        saved = without_comments(_in_editor(as_file(shown, reasons), editing))
        if not saved.strip():
            talk("Edit cancelled, saved file was empty.")
            return
        if saved == shown and reasons:
            raise _given_up("Edit cancelled, no valid changes were saved.", saved, editing)
        try:
            if _save(session, editing, original, saved):
                click.echo(f"{editing.chosen} edited")
            else:
                talk("Edit cancelled, no changes made.")
        except BadEdit as error:
            lines = [f"* {line}" for line in str(error).splitlines()]
            shown, reasons = saved, [f"{editing.chosen} was not valid:", *lines]
            talk(f"error: {error}")
        except Failure as failure:
            raise _given_up(failure.message, saved, editing) from failure
        else:
            return


def _save(session: Session, editing: Editing, original: Body, saved: str) -> bool:
    """Store what was saved; whether anything was changed. Raises BadEdit, Failure."""
    patch = difference(read_edited(as_edited(original, editing.form), original), read_edited(saved, original))
    if patch:
        session.run(lambda client: _store(client, editing, original, patch))
    return bool(patch)


def _in_editor(text: str, editing: Editing) -> str:
    """What the editor leaves of the text. Raises Failure."""
    command = next((os.environ[name] for name in EDITORS if os.environ.get(name, "").strip()), "vi")
    descriptor, name = tempfile.mkstemp(prefix="plumctl-edit-", suffix=f".{editing.form}")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        try:
            code = subprocess.run([*shlex.split(command), name], check=False).returncode
        except (OSError, ValueError) as error:
            raise Failure(f"cannot run the editor {command!r}: {error}; set EDITOR to another") from error
        if code:
            raise Failure(f"the editor {command!r} ended with code {code}; nothing was changed")
        return _read(Path(name))
    finally:
        Path(name).unlink(missing_ok=True)


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"cannot read what was saved: {error}") from error


def _given_up(message: str, saved: str, editing: Editing) -> Failure:
    """The failure, with the name of the file that keeps what was saved."""
    descriptor, name = tempfile.mkstemp(prefix="plumctl-edit-", suffix=f".{editing.form}")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(saved)
    return Failure(f'{message}\nA copy of your changes has been stored to "{name}"')


async def _store(client: RestClient, editing: Editing, original: Body, patch: Body) -> None:
    """Store it, unless others have changed the same fields meanwhile. Raises BadEdit, ApiError."""
    version = original["metadata"]["resourceVersion"]
    query = write_query(editing.manager, "none") | {"fieldValidation": "Strict"}
    for _ in range(TRIES):
        metadata = dict(patch.get("metadata") or {}, resourceVersion=version)
        body = dict(patch, metadata=metadata)
        try:
            await send(client, "PATCH", editing.path(client), query=query, body=body, media_type=MERGE)
        except Conflict as error:
            present = await read(client, editing.path(client))
            taken = changed_meanwhile(patch, original, present)
            if present["metadata"]["uid"] != original["metadata"]["uid"]:
                taken = ["the whole object"]
            if taken:
                raise BadEdit(f"somebody has changed {', '.join(taken)} meanwhile; edit the object anew") from error
            version = present["metadata"]["resourceVersion"]
        except _REFUSED as error:
            causes = [f"{cause.field}: {cause.message}" for cause in error.details.causes]
            raise BadEdit("\n".join(causes) or error.message) from error
        else:
            return
    raise BadEdit(f"{editing.chosen} keeps changing; save again")
