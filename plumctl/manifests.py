"""Files to checked objects. Everything is checked before anything is sent, with the server's own rules."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apiserver.api.errors import ApiError, Invalid
from apiserver.api.machinery.decode import decode, validate
from apiserver.api.machinery.documents import MAX_BYTES, Document
from apiserver.api.machinery.yaml_documents import read_yaml
from apiserver.api.meta import Body
from apiserver.api.scheme import SCHEME, Kind
from apiserver.api.selectors import parse_labels

ENDINGS = {".yaml", ".yml", ".json"}
MAX_FILES = 1000
ORDER = ("Namespace", "Node", "App", "Service", "Lease", "Task", "Assignment", "Endpoint", "Event")
"""What others may need comes first; deletion goes the other way."""


class BadManifests(Exception):
    """What is wrong with the files, a line an error; nothing has been sent."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("\n".join(errors))


@dataclass(frozen=True)
class Manifest:
    """One object of a file."""

    kind: Kind
    body: Body
    where: str

    @property
    def name(self) -> str:
        """The object's name."""
        return str(self.body["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """The object's namespace; empty for cluster-scoped kinds."""
        return str(self.body["metadata"].get("namespace", ""))

    def __str__(self) -> str:
        return f"{self.kind.singular}/{self.name}"


def read_manifests(paths: Sequence[str], *, namespace: str) -> list[Manifest]:
    """The objects of files, folders and ``-`` (standard input), in the order to apply them.

    ``namespace`` is for those that name none. Raises BadManifests with all errors at once.
    """
    errors: list[str] = []
    found: list[Manifest] = []
    for source, raw in _sources(paths, errors):
        try:
            documents = list(_unrolled(read_yaml(raw, source=source)))
        except ApiError as error:
            errors.append(error.message)
            continue
        for number, document in enumerate(documents, start=1):
            where = f"{source} (document {number}, line {document.line})"
            if manifest := _checked(document, where, namespace, errors):
                found.append(manifest)
    errors += _twice(found)
    if not errors and not found:
        errors.append(f"no objects in {', '.join(paths)}: write one, or name a folder with .yaml, .yml or .json files")
    if errors:
        raise BadManifests(errors)
    return sorted(found, key=lambda manifest: ORDER.index(manifest.kind.name))


def selected(manifests: Sequence[Manifest], selector: str) -> list[Manifest]:
    """Those that a label selector finds. Raises BadManifests."""
    try:
        wanted = parse_labels(selector)
    except ApiError as error:
        raise BadManifests([f"--selector: {error.message}"]) from error
    return [found for found in manifests if wanted.matches(found.body["metadata"].get("labels") or {})]


def _sources(paths: Sequence[str], errors: list[str]) -> Iterator[tuple[str, bytes]]:
    for text in paths:
        if text == "-":
            yield "standard input", sys.stdin.buffer.read(MAX_BYTES + 1)
            continue
        path = Path(text)
        if not path.exists():
            errors.append(f"{text}: no such file or folder")
            continue
        files = list(_files(path)) if path.is_dir() else [path]
        if len(files) > MAX_FILES:
            errors.append(f"{text}: has {len(files)} manifests, at most {MAX_FILES} are read")
            continue
        for file in files:
            try:
                with file.open("rb") as opened:
                    yield str(file), opened.read(MAX_BYTES + 1)
            except OSError as error:
                errors.append(f"{file}: {error.strerror}")


def _files(folder: Path) -> Iterator[Path]:
    """Manifests below the folder, sorted. Hidden folders and the folders of apps hold none."""
    if (folder / "meta.ini").exists():
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        elif path.suffix in ENDINGS and path.is_file():
            yield path


def _unrolled(documents: Sequence[Document]) -> Iterator[Document]:
    """The documents, with ``kind: List`` taken apart."""
    for document in documents:
        items = document.body.get("items")
        if document.body.get("kind") == "List" and isinstance(items, list):
            for item in items:
                yield Document(item if isinstance(item, dict) else {"kind": None}, document.duplicates, document.line)
        else:
            yield document


def _checked(document: Document, where: str, namespace: str, errors: list[str]) -> Manifest | None:
    body = document.body
    kind = SCHEME.of_body(body)
    if kind is None:
        errors.append(f"{where}: {_unknown(body)}")
        return None
    try:
        decoded, _ = decode(kind, document, "Strict")
        kind.default(decoded)
        decoded.pop("status", None)
        checked = validate(kind, decoded)
    except Invalid as error:
        errors += [f"{where}: {cause.field}: {cause.message}" for cause in error.details.causes]
        return None
    except ApiError as error:
        errors.append(f"{where}: {error.message}")
        return None
    causes = kind.rules(checked, None)
    errors += [f"{where}: {cause.field}: {cause.message}" for cause in causes]
    if not decoded["metadata"].get("name"):
        errors.append(f"{where}: metadata.name: Required value: apply needs a name")
        return None
    if kind.namespaced:
        decoded["metadata"].setdefault("namespace", namespace)
    return None if causes else Manifest(kind, decoded, where)


def _unknown(body: dict[str, Any]) -> str:
    if not body.get("kind") or not body.get("apiVersion"):
        return "apiVersion and kind are required, for example apiVersion: plum.dev/v1, kind: Task"
    known = ", ".join(f"{kind.api_version} {kind.name}" for kind in SCHEME)
    return f"there is no kind {body['kind']!r} in {body['apiVersion']!r}; there are {known}"


def _twice(found: Sequence[Manifest]) -> list[str]:
    seen: dict[tuple[str, str, str], str] = {}
    errors = []
    for manifest in found:
        key = (manifest.kind.name, manifest.namespace, manifest.name)
        if key in seen:
            errors.append(f"{manifest.where}: {manifest} is also in {seen[key]}")
        seen[key] = manifest.where
    return errors
