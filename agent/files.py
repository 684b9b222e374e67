"""Files in folders that apps can write to: an app may have put a pipe, a folder or a link in place of any of them.

The rotator loads this too, and nothing but the system's own modules with it.
"""

import errno
import os
import stat


class NotRegular(OSError):
    """Something else than a file is in its place."""


def plain(path: str, flags: int) -> int:
    """An opener for ``open``: of a regular file, not through a link, waiting for nobody. Raises OSError,
    NotRegular."""
    fd = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        check(path, os.fstat(fd))
    except NotRegular:
        os.close(fd)
        raise
    return fd


def check(path: str, state: os.stat_result) -> None:
    """Raises NotRegular, which says what it is instead."""
    if not stat.S_ISREG(state.st_mode):
        what = _KINDS.get(stat.S_IFMT(state.st_mode), "something else")
        raise NotRegular(f"{path} is not a regular file but {what}: the app has put that there")


_KINDS = {
    stat.S_IFIFO: "a pipe (FIFO)",
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a link",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def line(path: str | os.PathLike[str]) -> str:
    """The first line, up to its end; empty until that is there, and where there is no such file. Raises OSError where
    nobody can tell."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    try:
        found, end, _ = os.read(fd, 4096).partition(b"\n")
    except (BlockingIOError, IsADirectoryError):
        return ""
    finally:
        os.close(fd)
    return found.decode(errors="replace") if end else ""


def is_full(error: OSError) -> bool:
    """Whether the system refused to write for want of space, or of the user's share of it."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)
