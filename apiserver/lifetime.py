"""How the long-running programs are asked to end: by a signal, or by the end of their standard input.

``plumctl up`` holds the other end of that pipe, so that its children end with it even when it is killed
with -9.
"""

import asyncio
import os
import signal
import sys


async def end_requested(*, stdin: bool) -> str:
    """Wait for TERM, INT or, with ``stdin``, for the end of standard input; returns which it was.

    A second TERM or INT while the program shuts down ends it at once, as by default.
    """
    loop = asyncio.get_running_loop()
    reason: asyncio.Future[str] = loop.create_future()

    def settle(text: str) -> None:
        if not reason.done():
            reason.set_result(text)

    def read() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            settle("end of standard input")

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, settle, number.name)
    if stdin:
        loop.add_reader(sys.stdin.fileno(), read)
    try:
        return await reason
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        if stdin:
            loop.remove_reader(sys.stdin.fileno())
