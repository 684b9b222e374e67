"""Probes: how it is found out whether a process has started, may be used, and is still alive.

Names and meanings are those of Kubernetes. What runs them is the node's agent.
"""

import re
from collections.abc import Collection, Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from apiserver.api.errors import Cause
from apiserver.api.kinds.ports import PortReference
from apiserver.api.meta import Body, Listed, Model, is_empty

ProbeName = Literal["startup", "readiness", "liveness"]

_PATH = re.compile(r"/[!-~]*")
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_HEADER_VALUE = re.compile(r"([!-~]([ -~\t]*[!-~])?)?")


def _path(text: str) -> str:
    if not _PATH.fullmatch(text):
        raise ValueError("must start with '/' and hold only printable ASCII without blanks; percent-encode the rest")
    return text


def _host(text: str) -> str:
    if text and not _HOST.fullmatch(text):
        raise ValueError("must be a host name or an address, without a port")
    return text


def _header_name(text: str) -> str:
    if not _HEADER.fullmatch(text):
        raise ValueError("must be the name of an HTTP header: letters, digits and '-', at most 128 characters")
    return text


def _header_value(text: str) -> str:
    if not _HEADER_VALUE.fullmatch(text):
        raise ValueError("must be printable ASCII without blanks at its ends")
    return text


def _argument(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not hold a NUL character: no process can be given one")
    return text


def _lower(value: object) -> object:
    """Kubernetes writes schemes in capitals."""
    return value.lower() if isinstance(value, str) else value


Host = Annotated[str, AfterValidator(_host), Field(exclude_if=is_empty)]
Argument = Annotated[str, Field(max_length=32768), AfterValidator(_argument)]


class HttpHeader(Model):
    """A header of the probe's request."""

    name: Annotated[str, AfterValidator(_header_name)]
    """The name of the header."""
    value: Annotated[str, Field(max_length=4096), AfterValidator(_header_value)] = ""
    """Empty for User-Agent and Accept: the request goes without."""


class HttpGet(Model):
    """Passes if a GET is answered with a status of 200 to 399. Redirects are not followed."""

    port: PortReference
    """A number, or the name of one of the entry's ports."""
    path: Annotated[str, Field(max_length=2048), AfterValidator(_path)] = "/"
    """The path of the request, and its query."""
    scheme: Annotated[Literal["http", "https"], BeforeValidator(_lower)] = "http"
    """With https, certificates are not verified."""
    host: Host = ""
    """Where to connect to; empty: 127.0.0.1."""
    # Atomic: a request may have the same header twice, and their order can matter.
    http_headers: Annotated[Listed[HttpHeader], Field(max_length=32)] = ()
    """Headers of the request, beside those that every request has."""


class TcpSocket(Model):
    """Passes if a connection is accepted."""

    port: PortReference
    """A number, or the name of one of the entry's ports."""
    host: Host = ""
    """Where to connect to; empty: 127.0.0.1."""


class ExecCommand(Model):
    """Passes if a command ends with code 0. All that it leaves behind is killed."""

    # Atomic: a command is its words in their order.
    command: Annotated[tuple[Argument, ...], Field(min_length=1, max_length=64)]
    """The program and its arguments, run in the instance's folder and environment, without a shell."""


class Probe(Model):
    """One question to the process, asked again and again: exactly one of httpGet, tcpSocket and exec."""

    http_get: HttpGet | None = None
    """Asks by an HTTP request."""
    tcp_socket: TcpSocket | None = None
    """Asks by connecting to a port."""
    exec: ExecCommand | None = None
    """Asks by running a command."""
    initial_delay_seconds: Annotated[int, Field(ge=0, le=86400)] = 0
    """Seconds before the first try; they count from the start, or from the success of the startup probe."""
    period_seconds: Annotated[int, Field(ge=1, le=86400)] = 10
    """Seconds from one try to the next."""
    timeout_seconds: Annotated[int, Field(ge=1, le=3600)] = 1
    """Seconds after which a try has failed."""
    success_threshold: Annotated[int, Field(ge=1, le=1000)] = 1
    """Successes in a row that make a pass; more than 1 only for readiness."""
    failure_threshold: Annotated[int, Field(ge=1, le=100000)] = 3
    """Failures in a row that make it fail."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(way is not None for way in (self.http_get, self.tcp_socket, self.exec)) != 1:
            raise ValueError("give exactly one of httpGet, tcpSocket and exec")
        return self

    @property
    def port(self) -> int | str | None:
        """The port that it asks, by number or name; None for a command."""
        way = self.http_get or self.tcp_socket
        return way.port if way else None


class Probes(Model):
    """What is asked of every copy of an entry."""

    startup: Probe | None = None
    """Until it passes the others wait; when it fails the process is restarted."""
    readiness: Probe | None = None
    """While it does not pass the copy is not ready, and services do not lead to it."""
    liveness: Probe | None = None
    """When it fails the process is restarted."""

    def by_name(self) -> dict[ProbeName, Probe]:
        """Those that there are."""
        found: dict[ProbeName, Probe | None] = {
            "startup": self.startup,
            "readiness": self.readiness,
            "liveness": self.liveness,
        }
        return {name: probe for name, probe in found.items() if probe is not None}


NO_PROBES = Probes()


def asks_nothing(probes: Probes) -> bool:
    """Whether there is no probe; serialisation leaves that out."""
    return probes == NO_PROBES


def faults(where: str, probes: Body, port_names: Collection[str]) -> Iterator[Cause]:
    """What is wrong with an entry's probes in wire form beyond their types; ``port_names`` are the entry's."""
    for name, probe in probes.items():
        if name != "readiness" and probe.get("successThreshold", 1) != 1:
            message = f"Invalid value: {probe['successThreshold']}: must be 1 for a {name} probe"
            yield Cause(f"{where}.{name}.successThreshold", message)
        for way in ("httpGet", "tcpSocket"):
            port = probe.get(way, {}).get("port")
            if isinstance(port, str) and port not in port_names:
                message = f'Invalid value: "{port}": the entry has no port of that name; list it in ports'
                yield Cause(f"{where}.{name}.{way}.port", message)
