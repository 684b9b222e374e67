"""Locks on files, which the kernel takes back when their holder ends, however it ends."""

import fcntl
import os
from pathlib import Path


def try_lock(path: Path) -> int:
    """Hold the file, which is made if it is missing; the descriptor keeps it. -1 while somebody else does.
    Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return -1
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def is_free(path: Path) -> bool:
    """Whether nobody holds the file. Raises OSError."""
    descriptor = try_lock(path)
    if descriptor >= 0:
        os.close(descriptor)
    return descriptor >= 0
