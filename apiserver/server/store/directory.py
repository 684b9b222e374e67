"""The data directory: held by one server at a time, and what is wrong with it told in one line."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StoreUnusable(Exception):
    """The data directory cannot be used; the message says why and what to do."""


def lock_directory(directory: Path) -> int:
    """Hold the data directory, which is made if it is missing; the descriptor keeps it. Raises StoreUnusable while
    another server does, or where that cannot be."""
    with usable(directory):
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with usable(directory):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except StoreUnusable as error:
        os.close(descriptor)
        if not isinstance(error.__cause__, BlockingIOError):
            raise
        raise StoreUnusable(
            f"{directory} is in use by another server; stop that one, or choose another --data-dir"
        ) from error
    return descriptor


@contextmanager
def usable(directory: Path) -> Iterator[None]:
    """Turns what the file system refuses into StoreUnusable with the name of what it refused."""
    try:
        yield
    except OSError as error:
        why = f"{error.filename or directory}: {error.strerror}"
        raise StoreUnusable(f"--data-dir {directory} cannot be used: {why}; choose another folder") from error
