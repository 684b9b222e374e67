"""An app that writes numbered lines, straight into its log."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_APP = """
import os, sys, time
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
for number in range(1, int(sys.argv[2]) + 1):
    os.write(fd, b"%d %s\\n" % (number, b"." * (number % 97)))
    if number % 50 == 0:
        time.sleep(float(sys.argv[3]))
"""


@contextmanager
def writing(run: Path, lines: int, *, pause: float = 0.005) -> Iterator["subprocess.Popen[bytes]"]:
    """Begin to write the lines, with a pause (seconds) after every 50; the run's ``pid`` says who does."""
    command = [sys.executable, "-ISE", "-c", _APP, str(run / "out.log"), str(lines), str(pause)]
    with subprocess.Popen(command) as app:
        try:
            started = Path(f"/proc/{app.pid}/stat").read_text().rpartition(")")[2].split()[19]
            (run / "pid").write_text(f"{app.pid} {started}\n")
            yield app
        finally:
            app.kill()


def numbers(text: bytes) -> list[int]:
    """The numbers of the lines. Raises ValueError for a line that no app has written."""
    found = []
    for line in text.splitlines():
        number, _, dots = line.partition(b" ")
        if dots != b"." * (int(number) % 97):
            raise ValueError(f"a broken line: {line!r}")
        found.append(int(number))
    return found
