"""What an app's archive must hold, and what its ``meta.ini`` says. Pure: opening archives is for others."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from apiserver.api.kinds.app import AppService
from apiserver.api.kinds.task import is_app_text

META, START = "meta.ini", "start.sh"
MAX_TEXT = 128
"""Characters of an app's name, and of its version."""

MAX_META = 64 * 1024
"""Bytes of a ``meta.ini``."""

MAX_SERVICES = 32


class NotAnApp(ValueError):
    """The archive is no app; the text says why."""


@dataclass(frozen=True)
class Meta:
    """What ``meta.ini`` says."""

    name: str
    version: str
    services: tuple[AppService, ...] = ()


def meta_text(raw: bytes) -> str:
    """The text of a ``meta.ini``, of which ``raw`` need hold no more than ``MAX_META`` bytes and one. Editors of some
    systems put a byte order mark before it. Raises NotAnApp."""
    if len(raw) > MAX_META:
        raise NotAnApp(f"{META} is larger than {MAX_META // 1024} KiB; shorten it")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotAnApp(f"{META} is not UTF-8; save it as such") from None


def read_meta(text: str) -> Meta:
    """Read ``key=value`` or ``key: value`` lines; ``#`` and ``;`` begin comments, ``[sections]`` mean nothing.

    ``service=name:protocol:port`` may come many times; of other keys the first counts. Raises NotAnApp.
    """
    values: dict[str, str] = {}
    services: list[AppService] = []
    for key, value in _lines(text):
        if key == "service":
            services.append(_service(value))
        else:
            values.setdefault(key, value)
    for key in ("name", "version"):
        if not values.get(key):
            raise NotAnApp(f"{META} says no {key}; add a line {key}=…")
        if not is_app_text(values[key]):
            raise NotAnApp(f"{META}: {key} has a slash or a control character; rename it")
        if len(values[key]) > MAX_TEXT:
            raise NotAnApp(f"{META}: {key} is longer than {MAX_TEXT} characters; shorten it")
    if len(services) > MAX_SERVICES:
        raise NotAnApp(f"{META} has {len(services)} services, at most {MAX_SERVICES} are possible")
    return Meta(values["name"], values["version"], tuple(dict.fromkeys(services)))


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped[0] in "#;[":
            continue
        at = min((i for i in (stripped.find("="), stripped.find(":")) if i > 0), default=-1)
        if at > 0:
            yield stripped[:at].strip(), stripped[at + 1 :].strip()


def _service(value: str) -> AppService:
    parts = [part.strip() for part in value.split(":")]
    try:
        name, protocol, port = parts
        return AppService(name=name, protocol=protocol, port=int(port) if port.isascii() else 0)
    except ValueError:  # pydantic's own is one too
        raise NotAnApp(
            f"{META}: service={value[:80]} is not name:protocol:port, for example service=orders:http:8080"
        ) from None


def find_root(names: Collection[str]) -> str:
    """The folder inside an archive that holds the app: its root (empty), or its one top folder (with a slash).
    Raises NotAnApp."""
    known = set(names)
    tops = {name.partition("/")[0] for name in known}
    roots = ["", *([f"{next(iter(tops))}/"] if len(tops) == 1 else [])]
    for root in roots:
        if root + META in known and root + START in known:
            return root
    missing = " and ".join(name for name in (START, META) if all(root + name not in known for root in roots))
    raise NotAnApp(f"has no {missing or f'{START} beside {META}'} at its root (or in its one top folder)")
