"""The certificates of an ``up`` on disk: made when they are missing, broken, of another authority or soon at their end.

Whatever a kill left half-written is made anew at the next start. A key is written before its certificate, so that the
two belong together or are seen not to.
"""

import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psutil

from apiserver.client.replacing import replace_file
from plumctl.certificates import Authority, Pair, Wanted, new_authority, usable_names
from plumctl.cli import talk

UNSPECIFIED = ("", "0.0.0.0", "::")
MAX_NAMES = 100


@dataclass(frozen=True)
class PairFiles:
    """Where a certificate and its key are."""

    certificate: Path
    key: Path


class Certificates:
    """A folder with an authority and what it has issued. Its owner may be one process at a time."""

    def __init__(self, folder: Path, *, clock: Callable[[], datetime]) -> None:
        """Makes the folder and the authority if need be. Raises OSError."""
        self.folder, self._clock = folder, clock
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        for left in folder.glob(".new-*"):
            left.unlink(missing_ok=True)
        self._authority = self._found() or self._made()

    @property
    def authority(self) -> Path:
        """The authority's certificate."""
        return self._files("ca").certificate

    def pair(self, name: str, wanted: Wanted) -> PairFiles:
        """The files of a certificate that is good for what is wanted. Raises OSError."""
        files = self._files(name)
        now = self._clock()
        if not self._authority.is_good(_read(files), wanted, now):
            _write(files, self._authority.issue(wanted, now))
        files.key.chmod(0o600)
        return files

    def _found(self) -> Authority | None:
        files = self._files("ca")
        pair = _read(files)
        try:
            found = Authority(pair)
        except ValueError as error:
            if pair.certificate:
                talk(f"{files.certificate}: {error}; what the former authority issued is void now")
            return None
        files.key.chmod(0o600)
        if found.is_lasting(self._clock()):
            return found
        talk(f"{files.certificate}: comes to its end; what it issued is void now")
        return None

    def _made(self) -> Authority:
        pair = new_authority(self._clock())
        _write(self._files("ca"), pair)
        return Authority(pair)

    def _files(self, name: str) -> PairFiles:
        return PairFiles(self.folder / f"{name}.crt", self.folder / f"{name}.key")


def server_names(host: str, more: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Under what a server that listens on ``host`` is asked for: this machine's names, and all of its addresses if it
    listens on all of them."""
    addresses = _own_addresses() if host in UNSPECIFIED else [host]
    names = usable_names(["localhost", "127.0.0.1", "::1", socket.gethostname(), *more, *addresses])
    return tuple(names[:MAX_NAMES])


def _own_addresses() -> list[str]:
    internet = (socket.AF_INET, socket.AF_INET6)
    found = psutil.net_if_addrs().values()
    return [one.address for addresses in found for one in addresses if one.family in internet]


def _read(files: PairFiles) -> Pair:
    """What is there; empty where nothing is."""
    return Pair(_bytes(files.certificate), _bytes(files.key))


def _bytes(path: Path) -> bytes:
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return b""


def _write(files: PairFiles, pair: Pair) -> None:
    replace_file(files.key, pair.key)
    replace_file(files.certificate, pair.certificate, mode=0o644)
