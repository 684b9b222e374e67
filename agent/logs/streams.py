"""One instance's log as a reader wants it, over rotations and runs, step by step.

A step reads from the disk and may block; between steps nothing is held but the beginning of a line. How fast steps
are taken is up to who takes them, so a slow reader slows nobody down: what is rotated away before it is read is
missing from the log, and a line says how much.
"""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from agent.files import plain
from agent.logs import lines, reading, runs, starts, times
from agent.logs.lines import Cursor, Line, Splitter
from agent.logs.place import Place
from apiserver.api.channel import HEARTBEAT_SECONDS, LogOptions
from apiserver.api.errors import BadRequest, NotFound


@dataclass(frozen=True)
class Step:
    """What a step has brought."""

    data: bytes = b""
    is_over: bool = False
    is_idle: bool = False
    """There was nothing to read: ask again after a while."""


class _Clock:
    """When the lines of one run were written, as far as has been told by now."""

    def __init__(self, run: str) -> None:
        self._path = os.path.join(run, times.TIMES)
        self._run = run
        self._times = times.Times()
        self._read: tuple[int, int] = (0, 0)
        self._last = self._rest = 0.0

    def look(self) -> None:
        """What was known of times may be out of date."""
        self._rest = 0.0

    def at(self, offset: int) -> float:
        """Seconds since the epoch; never less than the last answer."""
        found = self._times.at(offset)
        if found is None and not self._rest:
            self._refresh()
            self._rest = reading.changed_at(self._run) or time.time()
            found = self._times.at(offset)
        self._last = max(self._last, found or self._rest)
        return self._last

    def _refresh(self) -> None:
        with suppress(FileNotFoundError), open(self._path, "rb", opener=plain) as file:
            state = os.fstat(file.fileno())
            inode, upto = self._read
            if state.st_ino != inode:
                self._times, upto = times.Times(), 0
            if state.st_size > upto:
                file.seek(upto)
                raw = file.read(8 * times.MAX_BYTES)
                whole = raw.rfind(b"\n") + 1
                self._times.extend(raw[:whole])
                upto += whole
            self._read = state.st_ino, upto


class Reader:
    """Reads one instance's log. Not for several threads at once."""

    def __init__(self, place: Place, options: LogOptions, *, live: bool, now: Callable[[], float] = time.time) -> None:
        """``live``: what is not there may come yet."""
        self._place, self._options, self._now = place, options, now
        self._live = live
        self._at: Cursor | None = None
        """Where the next bytes are read from."""
        self._until: Cursor | None = None
        """Where it ends, if it does not follow."""
        self._is_plain = not (options.cursors or options.timestamps)
        self._splitter = Splitter(joined=self._is_plain)
        self._clock: _Clock | None = None
        self._left = options.limit_bytes
        self._marked = 0.0
        self._seems_over = False
        self._removed = 0
        """The run of which a note says that its log was removed."""

    def open(self) -> None:
        """See that there is something to read, without reading: finding the beginning may take a while. Raises NotFound
        for what is gone, BadRequest for a previous run that there is not; OSError."""
        root, _ = self._place.find()
        if not root and not self._live:
            raise NotFound("its log is not on its node, or no longer")
        numbers = runs.numbers(root) if root else []
        if self._options.previous and len(numbers) < 2:
            raise BadRequest("previous: there is no run before the newest one, or its log is no longer kept")
        if numbers:
            reading.size(runs.folder(root, numbers[-1]))

    def step(self) -> Step:
        """Read on, a chunk at most. Raises OSError."""
        root, is_ended = self._place.find()
        if not root and self._at is None:
            return self._not_yet()
        at = self._at or self._begin(root)
        found: list[bytes] = []
        if self._clock:
            self._clock.look()
        read, is_idle, is_over = self._read(root, at, is_ended=is_ended) if root else ([], True, True)
        found += [self._formatted(line) for line in read]
        if is_over and self._until is None:
            # A folder on its way from one place to the other is in neither for a moment.
            is_idle, is_over, self._seems_over = True, self._seems_over, True
        else:
            self._seems_over = False
        if self._left == 0:
            is_over = True
        data = b"".join(found)
        if self._options.cursors and (is_over or (is_idle and not data and self._is_mark_due())):
            data += lines.mark(self._place_to_resume())
        if data:
            self._marked = time.monotonic()
        return Step(data, is_over=is_over, is_idle=is_idle and not is_over)

    def _not_yet(self) -> Step:
        """Nothing of the instance is on the node."""
        if not (self._live and self._options.follow):
            return Step(is_over=True)
        if self._options.cursors and self._is_mark_due():
            self._marked = time.monotonic()
            return Step(lines.mark(self._start_of(self._options.cursor)), is_idle=True)
        return Step(is_idle=True)

    def _is_mark_due(self) -> bool:
        return time.monotonic() - self._marked >= HEARTBEAT_SECONDS or not self._marked

    def _place_to_resume(self) -> Cursor:
        at = self._at or Cursor(0, 0)
        return Cursor(at.run, at.offset - self._splitter.pending)

    @staticmethod
    def _start_of(cursor: str | None) -> Cursor:
        return Cursor.parse(cursor) if cursor else Cursor(0, 0)

    def _begin(self, root: str) -> Cursor:
        """Where the options say that it begins, and ends."""
        numbers = runs.numbers(root)
        if self._options.previous:
            at = self._begin_of_previous(root, numbers)
        elif self._options.cursor is not None:
            at = _within(root, Cursor.parse(self._options.cursor), numbers)
            self._until = _end_of(root, numbers[-1]) if numbers else at
        elif not numbers:
            at = self._until = Cursor(0, 0)
        else:
            self._until = _end_of(root, numbers[-1])
            at = self._start_in(root, self._until)
        if self._options.follow and not self._options.previous:
            self._until = None
        self._at = at
        self._clock = _Clock(runs.folder(root, at.run))
        return at

    def _begin_of_previous(self, root: str, numbers: Sequence[int]) -> Cursor:
        if len(numbers) < 2:  # removed since
            self._until = Cursor(0, 0)
            return self._until
        self._until = _end_of(root, numbers[-2])
        return self._start_in(root, self._until)

    def _start_in(self, root: str, end: Cursor) -> Cursor:
        """Where reading of the run begins that ends at ``end``."""
        options, run = self._options, runs.folder(root, end.run)
        offset = starts.first_kept(run) if os.path.isdir(run) else 0
        moment = options.since_time.timestamp() if options.since_time else 0.0
        if options.since_seconds is not None:
            moment = max(moment, self._now() - options.since_seconds)
        if moment:
            offset = max(offset, starts.since(run, end.offset, moment))
        if options.tail_lines is not None:
            offset = max(offset, starts.tail(run, end.offset, options.tail_lines))
        return Cursor(end.run, min(offset, end.offset))

    def _read(self, root: str, at: Cursor, *, is_ended: bool) -> tuple[list[Line], bool, bool]:
        """Lines, whether there was nothing, and whether that was all."""
        run = runs.folder(root, at.run)
        # Looked up first: once a later run is there, nobody writes to this one.
        later = [number for number in runs.numbers(root) if number > at.run]
        is_ended = is_ended or (self._stays(at) and (bool(later) or runs.is_over(run)))
        limit = reading.CHUNK if self._until is None or self._until.run != at.run else self._until.offset - at.offset
        try:
            begin, raw = reading.read(run, at.offset, max(0, min(limit, reading.CHUNK)))
        except FileNotFoundError:
            if self._place.find()[0] != root:
                return [], True, False  # moved just now: it is somewhere else
            return self._after_missing(root, at, later, is_ended=is_ended)
        found: list[Line] = []
        if self._until is not None and self._until.run == at.run:
            begin, raw = min(begin, self._until.offset), raw[: max(0, self._until.offset - begin)]
        if begin > at.offset:
            found += self._ended(at)
            found.append(lines.lost(Cursor(at.run, begin), begin - at.offset))
            at = self._at = Cursor(at.run, begin)
        if raw:
            self._at = Cursor(at.run, at.offset + len(raw))
            return [*found, *self._splitter.feed(at, raw)], False, False
        if self._removed != at.run and reading.is_removed(run):
            self._removed = at.run
            return [*found, *self._ended(at), lines.removed(at)], False, False
        if self._until is not None and self._until.run <= at.run:
            return [*found, *self._splitter.flush(at)], False, True
        if later and not self._stays(at):
            found += self._ended(at)
            self._enter(root, later[0])
            return found, False, False
        if is_ended:
            return [*found, *self._splitter.flush(at)], False, True
        return found, not found, False

    def _stays(self, at: Cursor) -> bool:
        """Whether it ends with the run that it is in."""
        return self._options.one_run and at.run > 0

    def _after_missing(
        self, root: str, at: Cursor, later: Sequence[int], *, is_ended: bool
    ) -> tuple[list[Line], bool, bool]:
        """The run's folder is not there: it never was, or it has been removed."""
        if not later or self._stays(at):
            is_over = is_ended or self._until is not None
            return [*self._splitter.flush(at)] if is_over else [], not is_over, is_over
        found = self._ended(at)
        if at.run:
            found.append(lines.lost_runs(Cursor(later[0], 0), at.run))
        self._enter(root, later[0])
        return found, False, False

    def _enter(self, root: str, number: int) -> None:
        self._at = Cursor(number, 0)
        self._clock = _Clock(runs.folder(root, number))

    def _ended(self, at: Cursor) -> list[Line]:
        """What waits for the end of its line, where something else follows."""
        found = [*self._splitter.flush(at)]
        return [*found, Line(at, b"\n", is_note=True)] if found and self._is_plain else found

    def _formatted(self, line: Line) -> bytes:
        data = line.data
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
            line = Line(line.at, data, is_note=line.is_note)
            if not data:
                return b""
        if self._is_plain:
            return data
        seconds = self._clock.at(line.at.offset) if self._clock else self._now()
        return lines.with_cursor(line, seconds) if self._options.cursors else lines.with_time(line, seconds)


def _end_of(root: str, number: int) -> Cursor:
    return Cursor(number, reading.size(runs.folder(root, number)))


def _within(root: str, cursor: Cursor, numbers: Sequence[int]) -> Cursor:
    """The cursor, but not after the end of its run, nor in a run that is still to come."""
    if numbers and cursor.run > numbers[-1]:
        return _end_of(root, numbers[-1])
    if cursor.run in numbers:
        return Cursor(cursor.run, min(cursor.offset, reading.size(runs.folder(root, cursor.run))))
    return cursor
