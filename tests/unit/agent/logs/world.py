"""An instance on disk without processes: runs that are written to, and readers that read along."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.logs.place import Place
from agent.logs.streams import Reader
from apiserver.api.channel import LogOptions

UID = "6a1c"
LOST = re.compile(rb"--- (\d+) bytes lost: rotated away before they were read ---")
STAMPED = re.compile(rb"(\d+):(\d+) (\S+Z) (.*)")


class World:
    """One instance below a data folder."""

    def __init__(self, data: Path, *, size: int = 1000, files: int = 3, name: str = "web", uid: str = UID) -> None:
        self.data, self.size, self.files, self.name, self.uid = data, size, files, name, uid
        self.folder = data / "instances" / f"default.{name}"
        self.written: dict[int, bytes] = {}
        self.run = 0

    def start(self, *, alive: bool = True) -> Path:
        """Begin the next run, after the end of the one before. Its process is this one."""
        if self.run:
            self.end()
        self.run += 1
        folder = self.now
        folder.mkdir(parents=True)
        logs = {"maxSizeBytes": self.size, "maxFiles": self.files}
        (folder / "run.json").write_text(json.dumps({"format": 1, "uid": self.uid, "run": self.run, "logs": logs}))
        if alive:
            started = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
            (folder / "pid").write_text(f"{os.getpid()} {started}\n")
            os.utime(folder / "pid", (4e9, 4e9))  # however slow the test is, its log is still to come
        self.written[self.run] = b""
        return folder

    @property
    def now(self) -> Path:
        """The newest run's folder."""
        return self.folder / "runs" / str(self.run)

    def end(self) -> None:
        """The newest run is over."""
        (self.now / "gone").write_text("gone\n")

    def write(self, data: bytes) -> None:
        """The app writes."""
        with (self.now / "out.log").open("ab") as file:
            file.write(data)
        self.written[self.run] += data

    def remove(self) -> None:
        """The instance goes; its logs stay for a while."""
        self.end()
        ended = self.data / "ended" / f"default.{self.name}.{self.uid}"
        ended.mkdir(parents=True)
        (self.folder / "runs").rename(ended / "runs")
        (self.folder).rmdir()

    def reader(self, *, live: bool = True, **options: Any) -> Reader:
        """A reader of its log."""
        place = Place(self.data, "default", self.name, self.uid)
        return Reader(place, LogOptions.model_validate(options), live=live)

    def read(self, **options: Any) -> bytes:
        """All that a reader gets who does not follow."""
        reader = self.reader(**options)
        reader.open()
        return drain(reader)


def drain(reader: Reader) -> bytes:
    """Step until it is over."""
    found = b""
    while True:
        step = reader.step()
        found += step.data
        if step.is_over:
            return found


def settle(reader: Reader, *, most: int = 10_000) -> bytes:
    """Step until there is nothing to read, or it is over."""
    found = b""
    for _ in range(most):
        step = reader.step()
        found += step.data
        if step.is_over or step.is_idle:
            return found
    raise AssertionError("never idle")


@dataclass(frozen=True)
class Told:
    """A line as a program reads it: the cursor after it, and its text; or a mark (``text`` None)."""

    run: int
    offset: int
    text: bytes | None
    time: bytes = b""


def told(raw: bytes) -> list[Told]:
    """The lines of a reader with cursors."""
    found = []
    for line in raw.splitlines(keepends=True):
        assert line.endswith(b"\n"), line
        if match := STAMPED.fullmatch(line[:-1]):
            found.append(Told(int(match[1]), int(match[2]), match[4], match[3]))
        else:
            run, _, offset = line[:-1].partition(b":")
            found.append(Told(int(run), int(offset), None))
    return found
