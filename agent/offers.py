"""Which services a process offers while it runs: what its app's ``meta.ini`` declares, and what its entry does."""

import os
from collections.abc import Mapping
from pathlib import Path

from apiserver.api.kinds.app import AppService
from apiserver.api.kinds.assignment import Offer, Template
from apiserver.api.meta import Model
from apiserver.api.package import MAX_META, META, NotAnApp, meta_text, read_meta

_NOTHING = "the app declares no version and no services"


class Declared(Model):
    """What an app says of itself; nothing, where its ``meta.ini`` cannot be read."""

    version: str = ""
    services: tuple[AppService, ...] = ()


def read(app: Path) -> tuple[Declared, str]:
    """What the app in a folder declares, and what is wrong with its ``meta.ini``, if anything is. Blocks."""
    try:
        with open(app / META, "rb", opener=_open) as file:
            meta = read_meta(meta_text(file.read(MAX_META + 1)))
    except OSError as error:
        return Declared(), f"{_NOTHING}: {META}: {error.strerror}"
    except NotAnApp as error:
        return Declared(), f"{_NOTHING}: {error}"
    return Declared(version=meta.version, services=meta.services), ""


def _open(path: str, flags: int) -> int:
    """What an app may have put there in an earlier run: not through a link, and no waiting for a pipe's writer."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def of(declared: Declared, template: Template, ports: Mapping[str, int]) -> tuple[Offer, ...]:
    """The services with their port numbers, in order. Pure; ``ports`` are those of the process by name.

    A name that the entry declares too means the entry's. Of several at one address the first counts.
    """
    version = declared.version or template.app_version
    names = {service.name for service in template.services}
    found = [
        Offer(name=service.name, port=service.port, protocol=service.protocol, version=version)
        for service in declared.services
        if service.name not in names
    ]
    for service in template.services:
        number = service.port if isinstance(service.port, int) else ports.get(service.port)
        if number is not None:
            own = service.version or version
            found.append(Offer(name=service.name, port=number, protocol=service.protocol, version=own))
    unique = {(service.name, service.port, service.protocol): service for service in reversed(found)}
    return tuple(unique[key] for key in sorted(unique))
