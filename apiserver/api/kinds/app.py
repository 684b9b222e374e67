"""App: an uploaded zip archive, named by what its ``meta.ini`` says and its digest."""

import re
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import Field

from apiserver.api.columns import AGE, NAME
from apiserver.api.kinds.task import SHA256, AppText, Protocol, ServiceName
from apiserver.api.meta import Body, Listed, ListMap, Model, Resource
from apiserver.api.scheme import SCHEME, Column, Kind, at, dig


class AppService(Model):
    """A ``service=`` line of ``meta.ini``: what every copy of the app offers."""

    name: ServiceName
    """The name under which the copies are found."""
    protocol: Protocol
    """What is spoken there, for example http."""
    port: Annotated[int, Field(ge=1, le=65535)]
    """The port that the app listens on."""


class AppSpec(Model):
    """What was uploaded; it never changes."""

    name: AppText
    """The name of the app, as its ``meta.ini`` says it."""
    version: AppText
    """The version of the app, as its ``meta.ini`` says it."""
    sha256: SHA256
    """Digest of the archive; the blob is at ``/artifacts/sha256/<sha256>``."""
    size_bytes: Annotated[int, Field(ge=0)]
    """The size of the archive in bytes."""
    # An app may offer one name on several ports, and one port in several protocols.
    services: Annotated[Listed[AppService], ListMap("name", "port", "protocol")] = ()
    """What its ``meta.ini`` declares; shown, while agents read it from the archive itself."""


class App(Resource):
    """One upload of one version of an app."""

    api_version: Literal["plum.dev/v1"] = "plum.dev/v1"
    kind: Literal["App"] = "App"
    spec: AppSpec
    """What the archive says of itself, and its digest."""


def app_object_name(name: str, version: str, sha256: str) -> str:
    """The object name of an upload: ``<name>-<version>-<first 8 of the digest>`` as a DNS subdomain.

    Equal uploads share a name, so that pushing twice is harmless; another content is another App.
    """
    slug = re.sub(r"[^a-z0-9.]+", "-", f"{name}-{version}".lower())
    slug = ".".join(filter(None, (part.strip("-") for part in slug[:200].split(".")))) or "app"
    return f"{slug}-{sha256[:8]}"


def artifact_file(name: str, version: str, sha256: str) -> str:
    """The file name under which ``/artifacts/`` serves an upload: ``<name>_<version>_<first 8 of the digest>.zip``."""
    return f"{name}_{version}_{sha256[:8]}.zip"


def artifact_url(name: str, version: str, sha256: str) -> str:
    """The server path of an upload by that name, quoted as a URL must be."""
    return "/artifacts/" + quote(artifact_file(name, version, sha256), safe="~+@!$&'()*,;=:")


def artifact_path(sha256: str) -> str:
    """The server path of a blob."""
    return f"/artifacts/sha256/{sha256}"


def _services(body: Body, now: datetime) -> str:
    return ",".join(f"{s['name']}:{s['protocol']}:{s['port']}" for s in dig(body, "spec.services") or ())


APPS = SCHEME.register(
    Kind(
        model=App,
        plural="apps",
        immutable=("spec",),
        columns=(
            NAME,
            Column("App", at("spec.name")),
            Column("Version", at("spec.version")),
            Column("Size", at("spec.sizeBytes"), "integer", description="Bytes of the archive."),
            AGE,
            Column("Services", _services, priority=1),
            Column("SHA256", at("spec.sha256"), priority=1),
        ),
    )
)
