"""Who asks, where that is kept in files: tokens and certificates that are replaced while a program runs.

Files are looked at again from time to time, and after a refusal; what cannot be read leaves things as they were.
"""

import logging
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

import httpx

from apiserver.client.config import Config, ConfigError, Tls
from apiserver.client.trust import read_again, trust

log = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
"""How long a replaced file may go unnoticed."""

MAX_TOKEN = 64 * 1024
_Signature = tuple[tuple[int, int, int], ...]


class Credentials(httpx.Auth):
    """Sends the token with each request, as it is in its file now, and asks for the server by its other name."""

    def __init__(self, config: Config, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._config, self._monotonic = config, monotonic
        self._token = config.token
        self._files = (*config.tls.files, *([config.token_file] if config.token_file else []))
        self._seen: _Signature | None = None
        """As they were when they were read here; what was read before, at a time that is not known, does not count."""
        self._looked = monotonic()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """See httpx."""
        self._look()
        if self._token:
            request.headers["authorization"] = f"Bearer {self._token}"
        if self._config.tls.server_name:
            request.extensions["sni_hostname"] = self._config.tls.server_name
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._looked = float("-inf")

    def _look(self) -> None:
        now = self._monotonic()
        if not self._files or now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        found = _signature(self._files)
        if found == self._seen:
            return
        try:
            if self._config.token_file is not None:
                self._token = read_token(self._config.token_file)
            if self._config.tls.files and self._config.is_https:
                read_again(self._config.tls)
        except ConfigError as error:
            log.warning("%s; going on with what was there before", error)
        else:
            if self._seen is not None:
                log.info("read again what has changed on disk: %s", ", ".join(map(str, self._files)))
            self._seen = found


def credentials(config: Config) -> Credentials | None:
    """What has to look at each request; None where a header that never changes is enough."""
    has_files = config.token_file is not None or config.tls.files
    return Credentials(config) if has_files or config.tls.server_name else None


def with_files(
    config: Config, *, token_file: Path | None, ca_file: Path | None, cert: Path | None, key: Path | None
) -> Config:
    """The configuration with what flags name in place of what it had. Raises ConfigError that names flag and file."""
    if (cert is None) != (key is None):
        missing, given = ("--client-key", "--client-cert") if key is None else ("--client-cert", "--client-key")
        raise ConfigError(f"{given} is given without {missing}: give both")
    if token_file is not None:
        config = replace(config, token=read_token(token_file, "--token-file "), token_file=token_file)
    tls = config.tls
    if ca_file is not None:
        tls = replace(tls, ca=ca_file, insecure=False)
    if cert is not None:
        tls = replace(tls, certificate=cert, key=key)
    if tls != config.tls and not config.is_https:
        raise ConfigError(f"--ca-file and --client-cert are for https, and the server is {config.server}")
    return checked(replace(config, tls=tls))


def checked(config: Config) -> Config:
    """The same, if its certificates can be used. Raises ConfigError."""
    if config.tls != Tls():
        trust(config.server, config.tls)
    return config


def read_token(path: Path, where: str = "token file ") -> str:
    """The token in a file. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            token = file.read(MAX_TOKEN + 1).decode("ascii").strip()
    except OSError as error:
        raise ConfigError(f"{where}{path}: {error.strerror}") from error
    except UnicodeDecodeError:
        token = ""
    if not token:
        raise ConfigError(f"{where}{path}: is empty or no text; it should hold the bearer token")
    if len(token) > MAX_TOKEN or not token.isprintable():
        raise ConfigError(f"{where}{path}: is no token: it should be one line of at most {MAX_TOKEN} characters")
    return token


def _signature(files: tuple[Path, ...]) -> _Signature:
    """What changes with the files' content, or with what is at their paths."""
    found = []
    for path in files:
        try:
            state = path.stat()
            found.append((state.st_mtime_ns, state.st_ino, state.st_size))
        except OSError:
            found.append((0, 0, 0))
    return tuple(found)
