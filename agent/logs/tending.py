"""One run's log and one instance's logs, looked at again and again: sampled, rotated, kept within bounds."""

import os
import time
from contextlib import suppress

from agent.files import is_full
from agent.logs import cutting, retention, runs, stopping, times
from agent.logs.segments import LOG, SCRATCH, Layout, spans

PER_LOOK = 64
"""Segments cut in one look, so that other instances get their turn."""

FRESH_SECONDS = 2.0
"""A folder that changed so recently may change again without its time showing it."""


class Run:
    """One run. Whoever tends it is the only one who rotates it."""

    def __init__(self, folder: str, *, punches: bool) -> None:
        """``punches``: whether the file system can free the beginning of a file."""
        self.folder, self._punches = folder, punches
        self.limits = runs.Limits()
        """The defaults, until there is a log: what was agreed is written down before that, and after the folder."""
        self._log = os.path.join(folder, LOG)
        self._base = -1
        self._sampled = self._times_size = 0

    @property
    def has_begun(self) -> bool:
        """Whether there has been a log, and so its limits are known."""
        return self._base >= 0

    def look(self) -> bool:
        """Sample and rotate; whether there are new segments. Raises OSError; FileNotFoundError where there is no
        log yet, or no longer."""
        if not self.has_begun:
            os.stat(self._log)
            self._begin()
        found = os.stat(self._log)
        size = found.st_size if self._punches else found.st_size + self._base
        is_due = size - self._base >= self.limits.size
        if is_due:  # before the sample, which a full disk does not take: it is here that space comes free
            try:
                self._rotate(size)
            except OSError:
                self._base = -1  # what has happened is found out from the names
                raise
        if size > self._sampled:
            self._sample(size, found.st_mtime)
        return is_due

    def _begin(self) -> None:
        """Finish what an earlier rotator may have left half done."""
        self.limits = runs.limits(self.folder)
        stopping.recover(self.folder)
        scratch = os.path.join(self.folder, SCRATCH)
        if os.path.lexists(scratch):
            os.unlink(scratch)
        layout = Layout(self.folder)
        begun = layout.base
        # As it was begun, so it goes on: offsets mean what they meant.
        self._punches = not layout.truncates and (self._punches or begun > 0)
        if begun and self._punches:
            cutting.punch_up_to(self.folder, begun)
        known = times.load(self.folder)
        self._sampled = known.offsets[-1] if known.offsets else 0
        self._base = begun

    def _sample(self, size: int, seconds: float) -> None:
        """Note the time. On a full disk that waits: of what is written meanwhile it will be known less exactly."""
        try:
            self._note(size, seconds)
        except OSError as error:
            if not is_full(error):
                raise

    def _note(self, size: int, seconds: float) -> None:
        self._times_size = times.append(self.folder, size, seconds)
        self._sampled = size
        if self._times_size > times.MAX_BYTES:
            segments = spans(self.folder)
            times.thin(self.folder, segments[0][0] if segments else 0)

    def _rotate(self, size: int) -> None:
        if not self._punches:
            is_too_much = size - self._base > self.limits.budget
            self._base = stopping.move(self.folder, self._base, keeps=not is_too_much)
            return
        if size - self._base > self.limits.budget:
            # So far behind, or no space to copy to: what would be deleted next is not copied first.
            end = cutting.next_line_start(self.folder, size - self.limits.size * self.limits.files)
            cutting.give_up(self.folder, (self._base, end))
            self._base = end
        for _ in range(PER_LOOK):
            if size - self._base < self.limits.size:
                break
            end = cutting.last_line_end(self.folder, self._base, self._base + self.limits.size)
            cutting.cut(self.folder, (self._base, end))
            self._base = end


class Instance:
    """One instance: its newest run, and older ones that are not over."""

    def __init__(self, folder: str, *, punches: bool = True) -> None:
        self.folder, self._punches = folder, punches
        self._runs: dict[int, Run] = {}
        self._listed = -1
        self._told = self._failed = ""

    def look(self) -> bool:
        """Tend all runs that somebody may write to; whether anything was rotated. What fails is told once, and tried
        again next time."""
        try:
            return self._look()
        except FileNotFoundError:
            self._listed = -1  # moved away, or removed, under our hands
        except OSError as error:
            self._tell(f"{self.folder}: {error}; trying again")
        return False

    def _look(self) -> bool:
        is_new, self._failed = self._list(), ""
        is_rotated = sum(self._look_at(run) for run in self._runs.values()) > 0
        if self._runs and (is_new or is_rotated):
            retention.trim(self.folder, runs.agreed(self.folder))
        self._tell(self._failed)
        return is_rotated

    def _look_at(self, run: Run) -> bool:
        """Whether it was rotated. What fails keeps no other run waiting."""
        try:
            return run.look()
        except FileNotFoundError:
            return False
        except OSError as error:
            self._failed = f"{run.folder}: {error}; trying again"
            return False

    def _list(self) -> bool:
        """Know the runs there are; whether they are others than before."""
        try:
            changed_at = os.stat(os.path.join(self.folder, runs.RUNS)).st_mtime_ns
        except (FileNotFoundError, NotADirectoryError):
            self._runs.clear()
            return False
        if changed_at == self._listed:
            return False
        numbers = runs.numbers(self.folder)
        if time.time() - changed_at / 1e9 > FRESH_SECONDS:
            self._listed = changed_at
        wanted = [number for number in numbers if number == numbers[-1] or self._may_grow(number)]
        if wanted == list(self._runs):
            return False
        self._runs = {number: self._runs.get(number) or self._run(number) for number in wanted}
        return True

    def _run(self, number: int) -> Run:
        return Run(runs.folder(self.folder, number), punches=self._punches)

    def _may_grow(self, number: int) -> bool:
        return not runs.is_over(runs.folder(self.folder, number))

    def is_alive(self) -> bool:
        """Whether any run has a process left."""
        return any(not runs.is_over(run.folder) for run in self._runs.values())

    def _tell(self, text: str) -> None:
        if text and text != self._told:
            with suppress(OSError):  # it goes to a file on the same disk
                os.write(2, os.fsencode(f"{text}\n"))
        self._told = text
