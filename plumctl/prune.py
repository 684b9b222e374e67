"""``plumctl apply --prune``: what was applied before and is in no file any more."""

from collections.abc import Sequence
from dataclasses import dataclass

import click

from apiserver.api.errors import NotFound
from apiserver.api.meta import Body
from apiserver.api.scheme import SCHEME, Kind
from apiserver.client.rest import RestClient
from plumctl.cli import Failure
from plumctl.flags import SUFFIX, DryRun
from plumctl.manifests import ORDER, Manifest
from plumctl.raw import place, read_items, send

DEFAULT_KINDS = ("Task", "Service", "Endpoint", "Lease")
"""Neither apps, which ``plumctl app push`` made, nor what holds or carries others: namespaces and nodes."""


@dataclass(frozen=True)
class Pruning:
    """Which objects may be pruned."""

    selector: str
    kinds: tuple[Kind, ...]


def read_allowlist(texts: Sequence[str]) -> tuple[Kind, ...]:
    """The kinds of ``--prune-allowlist``, in the order in which they are deleted. Raises Failure."""
    names = [_kind(text).name for text in texts] or DEFAULT_KINDS
    return tuple(SCHEME.named(name) for name in reversed(ORDER) if name in names)


def _kind(text: str) -> Kind:
    group, _, rest = text.partition("/")
    version, _, name = rest.partition("/")
    api_version = version if group in ("core", "") else f"{group}/{version}"
    kind = SCHEME.of_body({"apiVersion": api_version, "kind": name})
    if kind is None:
        known = ", ".join(f"{kind.group or 'core'}/{kind.version}/{kind.name}" for kind in SCHEME)
        raise Failure(f"--prune-allowlist {text}: there is no such kind; write GROUP/VERSION/KIND, one of {known}")
    return kind


async def prune(
    client: RestClient, manifests: Sequence[Manifest], pruning: Pruning, *, manager: str, dry_run: DryRun, quiet: bool
) -> None:
    """Delete what the manager applied, in the namespaces of the manifests, and they do not have. Raises ApiError."""
    namespaces = sorted({manifest.namespace for manifest in manifests if manifest.namespace})
    kept = {(manifest.kind.name, manifest.namespace, manifest.name) for manifest in manifests}
    for kind in pruning.kinds:
        for namespace in namespaces if kind.namespaced else [""]:
            query = {"labelSelector": pruning.selector} if pruning.selector else {}
            found = [item async for item in read_items(client, place(client, kind, namespace), query=query)]
            for item in found:
                name = item["metadata"]["name"]
                if (kind.name, namespace, name) not in kept and _is_applied(item, manager):
                    await _delete(client, kind, item, dry_run, quiet=quiet)


def _is_applied(item: Body, manager: str) -> bool:
    """Whether the manager has applied it, and nobody is deleting it."""
    entries = item["metadata"].get("managedFields") or ()
    applied = any(entry.get("manager") == manager and entry.get("operation") == "Apply" for entry in entries)
    return applied and "deletionTimestamp" not in item["metadata"]


async def _delete(client: RestClient, kind: Kind, item: Body, dry_run: DryRun, *, quiet: bool) -> None:
    metadata = item["metadata"]
    options = {
        "kind": "DeleteOptions",
        "apiVersion": "v1",
        "propagationPolicy": "Background",
        "preconditions": {"uid": metadata["uid"]},
    } | ({"dryRun": ["All"]} if dry_run == "server" else {})
    if dry_run != "client":
        try:
            await send(
                client, "DELETE", place(client, kind, metadata.get("namespace", ""), metadata["name"]), body=options
            )
        except NotFound:
            return  # somebody else was faster
    if not quiet:
        click.echo(f"{kind.singular}/{metadata['name']} pruned{SUFFIX[dry_run]}")
