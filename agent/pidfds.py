"""Processes by pidfd: a handle that stays with its process, whoever gets the pid afterwards.

Nothing here needs to be the parent. Python knows ``pidfd_open`` and ``pidfd_send_signal``; the rest is Linux's
``pidfd.h``.
"""

import asyncio
import errno
import fcntl
import os
import select
import signal
import struct
from contextlib import suppress
from typing import Self

from agent import processes
from agent.runs import Who

_GET_INFO = 0xC040FF0B
"""``PIDFD_GET_INFO``: _IOWR(0xFF, 11, 64 bytes)."""

_INFO_EXIT = 1 << 3
_EXIT_CODE_AT = 60
_PROCESS_GROUP = 1 << 2
"""``PIDFD_SIGNAL_PROCESS_GROUP``, Linux 6.9."""


class Pidfd:
    """One process, to be closed in the end."""

    def __init__(self, who: Who, fd: int) -> None:
        self.who = who
        self._fd = fd
        self._watching: asyncio.Future[None] | None = None

    @classmethod
    def open(cls, who: Who) -> Self | None:
        """A handle of that very process; None if it has ended. Raises OSError if no more can be opened."""
        try:
            fd = os.pidfd_open(who.pid)
        except ProcessLookupError:
            return None
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOENT):  # a thread has the number now
                return None
            raise
        opened = cls(who, fd)
        try:
            found = processes.entry(who.pid)
            is_who = found is not None and found.start_time == who.start_time and not opened.has_ended
        except OSError:
            opened.close()
            raise
        if not is_who:
            opened.close()
        return opened if is_who else None

    @property
    def has_ended(self) -> bool:
        """Whether it has ended, reaped or not."""
        if self._fd < 0:
            return True
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return bool(poll.poll(0))

    async def ended(self) -> None:
        """Wait for its end. Several may; the one descriptor is watched once."""
        if self._watching is None:
            loop = asyncio.get_running_loop()
            self._watching = loop.create_future()
            loop.add_reader(self._fd, self._happened)
        await asyncio.shield(self._watching)

    def _happened(self) -> None:
        asyncio.get_running_loop().remove_reader(self._fd)
        if self._watching is not None and not self._watching.done():
            self._watching.set_result(None)

    def wait_status(self) -> int | None:
        """How it ended, as ``wait`` would tell its parent. None: it lives, or its parent has not heard and it is not
        ours to see, or the parent has and this is before Linux 6.15."""
        found = processes.entry(self.who.pid)
        if found is not None and found.start_time == self.who.start_time:
            return processes.exit_status(self.who.pid)
        answer = bytearray(64)
        struct.pack_into("Q", answer, 0, _INFO_EXIT)
        try:
            fcntl.ioctl(self._fd, _GET_INFO, answer)
        except OSError:
            return None
        (told,) = struct.unpack_from("Q", answer, 0)
        return int(struct.unpack_from("i", answer, _EXIT_CODE_AT)[0]) if told & _INFO_EXIT else None

    def kill(self) -> None:
        """KILL it, if it is still there."""
        with suppress(ProcessLookupError, PermissionError):
            signal.pidfd_send_signal(self._fd, signal.SIGKILL)

    def signal_group(self, number: int) -> None:
        """Signal the process group that it leads."""
        try:
            signal.pidfd_send_signal(self._fd, number, None, _PROCESS_GROUP)
        except ProcessLookupError:
            return
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            if not self.has_ended:  # while the leader is there its number is nobody else's
                os.killpg(self.who.pid, number)

    def close(self) -> None:
        """Let go of it; who waits for its end waits in vain."""
        if self._fd < 0:
            return
        if self._watching is not None and not self._watching.done():
            loop = self._watching.get_loop()
            if not loop.is_closed():
                loop.remove_reader(self._fd)
                self._watching.cancel()
        os.close(self._fd)
        self._fd = -1
