"""Giving back the disk space at the beginning of a file that somebody appends to.

The file keeps its size and its offsets; what is punched reads as zeros and takes no space.
"""

import ctypes
import os

from agent.files import is_full

KEEP_SIZE, PUNCH_HOLE = 0x01, 0x02
_PROBE = "punch.probe"

_libc = ctypes.CDLL(None, use_errno=True)
_fallocate = getattr(_libc, "fallocate64", None) or _libc.fallocate
_fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
_fallocate.restype = ctypes.c_int


def punch(fd: int, end: int) -> None:
    """Free the file up to an offset. May be repeated. Raises OSError."""
    if end > 0 and _fallocate(fd, PUNCH_HOLE | KEEP_SIZE, 0, end) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"cannot punch a hole: {os.strerror(number)}")


def can_punch(folder: str) -> bool:
    """Whether the file system of a folder can do it; a full one is believed. Raises OSError where no file can be
    made."""
    path = os.path.join(folder, _PROBE)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        try:
            os.write(fd, b"x" * 8192)
        except OSError as error:
            if not is_full(error):
                raise
        try:
            punch(fd, 4096)
        except OSError:
            return False
        return os.pread(fd, 1, 0) in (b"\0", b"")
    finally:
        os.close(fd)
        os.unlink(path)
