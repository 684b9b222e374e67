"""The agent's data folder: who may use it, what lies where, and the records of instances.

``cache/`` archives by digest; ``instances/<namespace>.<name>/`` one instance: ``app/`` it runs in, ``runs/<n>/``
one run of its process with its output, ``record.json`` what the next agent has to know; ``ended/`` the runs of
instances that are gone, for their output; ``data/`` what belongs to slots and stays; ``probes/`` runs of probes.
"""

import fcntl
import json
import logging
import os
import pwd
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path

from agent import runs
from agent.files import NotRegular, plain
from agent.instances import FORMAT, Key, Record
from agent.logs.runs import numbers as instance_runs
from agent.runtime import Process
from apiserver.api.kinds.assignment import Assignment

log = logging.getLogger(__name__)

LOCK_TRIES, LOCK_PAUSE = 10, 0.02

_PART = re.compile(r"[A-Za-z0-9._-]{0,253}")


class InUse(Exception):
    """Another agent works with the data folder."""


class OtherOwner(Exception):
    """The data folder is that of another user's agent."""


class NewerFormat(Exception):
    """The data folder was used by a later version of the agent, in a form that this one does not know."""


class Folders:
    """The layout below one data folder. Names from the server are checked before they become paths."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.cache = self.root / "cache"
        self.instances = self.root / "instances"
        self.ended = self.root / "ended"
        self.data = self.root / "data"
        self.probes = self.root / "probes"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder and keep others out until the end of the block, or of the process.

        Raises InUse, OtherOwner, or OSError if the folder cannot be made.
        """
        for folder in (self.root, self.cache, self.instances, self.ended, self.data, self.probes):
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        with (self.root / "lock").open("a+") as file:
            if not _lock(file.fileno()):
                file.seek(0)
                holder = file.read(32).strip() or "unknown"
                raise InUse(
                    f"{self.root}: another agent (pid {holder}) uses this data folder; "
                    "stop it, or give this one a --data-dir of its own"
                )
            self._check_owner()
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def _check_owner(self) -> None:
        """An agent of another user could not look after what runs here, nor could that one's after ours. Whose files
        ours are is seen by making one: some file systems make all of them one user's. Raises OtherOwner."""
        with suppress(OSError):  # there is none yet, or the disk is full
            theirs = (self.root / "identity").stat().st_uid
            with tempfile.TemporaryFile(dir=self.root) as made:
                ours = os.fstat(made.fileno()).st_uid
            if theirs != ours:
                raise OtherOwner(
                    f"{self.root} is the data folder of an agent of user {_user(theirs)}, and this one is run by "
                    f"{_user(ours)}: run it as {_user(theirs)}, or stop everything first and give the folder to "
                    f"{_user(ours)} (chown -R)"
                )

    def identity(self) -> str:
        """Who the agent of this folder is: made once, kept over restarts. Raises OSError."""
        path = self.root / "identity"
        with suppress(FileNotFoundError):
            if found := path.read_text().strip():
                return found
        made = str(uuid.uuid4())
        scratch = self.root / "identity.tmp"
        scratch.write_text(made)
        scratch.replace(path)
        return made

    def instance(self, key: Key) -> Path:
        """The folder of one instance, which is also its HOME."""
        return self.instances / _named(*key)

    def app(self, key: Key) -> Path:
        """Where the archive is unpacked and the command runs."""
        return self.instance(key) / "app"

    def run(self, key: Key, number: int) -> Path:
        """The folder of one run of the instance."""
        return self.instance(key) / "runs" / str(number)

    def slot_data(self, assignment: Assignment) -> Path:
        """The folder of the slot: other assignments of the same slot find it again."""
        spec = assignment.spec
        parts = (assignment.key[0], spec.task_name, spec.entry, spec.home, str(spec.ordinal))
        return self.data / _named(*parts)

    def records(self, boot_id: str) -> list[Record]:
        """What earlier agents left. A record that cannot be used is made anew from what the instance's last run says;
        a folder without both is thrown away. Raises NewerFormat, and OSError where something is there and cannot be
        read: it may be about a running process."""
        found = []
        for folder in sorted(self.instances.iterdir()):
            record: Record | None
            try:
                record = self._record(folder)
            except (FileNotFoundError, NotADirectoryError, ValueError) as error:
                level = logging.DEBUG if isinstance(error, FileNotFoundError) else logging.WARNING
                log.log(level, "%s: no usable record: %s", folder.name, error)
                record = self._recovered(folder, boot_id)
            if record is not None:
                found.append(self._settled(record))
                continue
            try:
                _remove(folder)
            except OSError as failure:
                log.warning("%s: stays, it cannot be removed: %s", folder.name, failure)
        return found

    def digests(self) -> set[str]:
        """The archives that the instances here were made from, as far as their records can be read."""
        found = set()
        for path in self.instances.glob("*/record.json"):
            with suppress(OSError, ValueError, KeyError, TypeError):
                found.add(str(json.loads(_content(path))["assignment"]["spec"]["template"]["sha256"]))
        return found

    def _record(self, folder: Path) -> Record:
        """Raises NewerFormat, OSError, ValueError."""
        body = json.loads(_content(folder / "record.json"))
        number = body.get("format") if isinstance(body, dict) else None
        if isinstance(number, int) and number > FORMAT:
            raise NewerFormat(
                f"{folder / 'record.json'}: is of format {number}, and this agent knows formats up to {FORMAT}; "
                "run the version that wrote it, or a later one"
            )
        record = Record.model_validate(body)
        if self.instance(record.key) != folder:
            raise ValueError(f"is the record of {_named(*record.key)}")
        return record

    def _recovered(self, folder: Path, boot_id: str) -> Record | None:
        """A record from the last run: whatever happens next, its processes are known."""
        numbers = instance_runs(str(folder))
        namespace, _, name = folder.name.partition(".")
        if not numbers or not name:
            return None
        run = folder / "runs" / str(numbers[-1])
        uid = runs.uid(run)
        process = Process(uid=uid, boot_id=boot_id, run=str(run))
        record = Record(namespace=namespace, name=name, uid=uid)
        with suppress(OSError, ValueError):
            told = Record.model_validate_json(_content(run / "run.json"))
            process = told.process or process
            record = told if told.key == record.key and told.uid == uid else record
        return record.model_copy(update={"run": numbers[-1], "process": process, "format": FORMAT})

    def _settled(self, record: Record) -> Record:
        """With the run's folder where it is now, and a number that no run has had."""
        process, numbers = record.process, instance_runs(str(self.instance(record.key)))
        if process is not None and process.run:
            process = process.model_copy(update={"run": str(self.run(record.key, record.run))})
        return record.model_copy(update={"process": process, "run": max([record.run, *numbers])})

    def save(self, record: Record, data: Path | None = None) -> None:
        """Write the record so that a crash leaves the old one or the new one; make ``data`` before, if given."""
        if data is not None:
            data.mkdir(mode=0o750, exist_ok=True)
        folder = self.instance(record.key)
        folder.mkdir(mode=0o750, exist_ok=True)
        scratch = folder / "record.json.tmp"
        with scratch.open("wb") as file:
            file.write(record.model_dump_json(by_alias=True, exclude_none=True).encode())
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(folder / "record.json")

    def remove(self, key: Key, uid: str) -> None:
        """Delete an instance's folder, as far as it is there, but for its runs: their output is kept for a while.
        Raises OSError for what cannot be deleted."""
        folder = self.instance(key)
        with suppress(FileNotFoundError, NotADirectoryError):
            kept = self.ended / _named(*key, uid)
            kept.mkdir(mode=0o750, exist_ok=True)
            if not (kept / "runs").exists():
                (folder / "runs").rename(kept / "runs")
        _remove(folder)

    def sweep(self) -> None:
        """Delete what an agent that was killed left half done."""
        halves = (self.instances.glob(f"*/{half}") for half in ("app.tmp-*", f"runs/{runs.SCRATCH}*"))
        for leftover in [*self.cache.glob("*.tmp-*"), *chain(*halves)]:
            _remove(leftover)


def _user(number: int) -> str:
    """A user's name, or the number where there is none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _lock(fd: int) -> bool:
    """Whether it could be locked. Who only looks whether it is locked holds it for a moment."""
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOCK_PAUSE)
        else:
            return True
    return False


def _content(path: Path) -> bytes:
    """Raises OSError, ValueError for what an app has put in its place."""
    try:
        with open(path, "rb", opener=plain) as file:
            return file.read()
    except NotRegular as error:
        raise ValueError(str(error)) from error


def _named(*parts: str) -> str:
    """Parts as one file name. Raises ValueError for a part that could lead elsewhere."""
    for part in parts:
        if not _PART.fullmatch(part):
            raise ValueError(f"{part[:300]!r} cannot be part of a folder's name")
    return ".".join(parts)


def _remove(path: Path) -> None:
    """The record goes first: without it a half-deleted folder is no instance."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    (path / "record.json").unlink(missing_ok=True)
    _open_up(path)
    shutil.rmtree(path)


def _open_up(path: Path) -> None:
    """Make every folder writable for us: apps leave read-only ones, such as module caches."""
    os.chmod(path, 0o700)
    for folder, inner, _ in os.walk(path):
        for name in inner:
            place = os.path.join(folder, name)
            if not os.path.islink(place):  # what a link leads to is not ours to change
                with suppress(OSError):
                    os.chmod(place, 0o700)
