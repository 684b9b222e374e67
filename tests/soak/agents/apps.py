"""The apps of these tests: small shell scripts, each of which notes what happens to it in a ledger of its own.

Every note is one line, appended by one write. At its start an app also looks for earlier processes of its own ledger
that are still alive: two at a time are seen by the one that came last, whatever the agent believes.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.v1.archives import zipped

LINE = 64
"""Bytes of every line that a writer writes, its number padded with zeros."""

LIBRARY = r"""
me="$LEDGER/$PLUM_INSTANCE_ID"
note() { printf '%s\n' "$*" >>"$me"; }
look() {
    { read -r stat </proc/"$1"/stat; } 2>/dev/null || return 1
    set -- ${stat##*) }
    state=$1
    shift 19
    ticks=$1
}
introduce() {
    look $$
    read -r up _ </proc/uptime
    note "$1 $$ $ticks $up $2"
}
begin() {
    introduce start "$(readlink /proc/$$/fd/1)"
    while read -r what pid began _; do
        case $what in start | daemon) ;; *) continue ;; esac
        [ "$pid $began" != "$$ $mine" ] || continue
        if look "$pid" && [ "$ticks" = "$began" ] && [ "$state" != Z ]; then note double "$pid" "$what"; fi
    done <"$me"
}
ulimit -c 0
look $$
mine=$ticks
"""

WRITER = r"""
. ./library.sh
exec 2>/dev/null # the shell would tell that its sleep was terminated
stop= n=0
trap 'stop=1' TERM
begin
while [ -z "$stop" ]; do
    i=0
    while [ "$i" -lt "$1" ]; do
        printf '%063d\n' "$n"
        n=$((n + 1)) i=$((i + 1))
    done
    sleep "$2"
done
note end code 0 wrote "$n"
exit 0
"""

EXITS = r"""
. ./library.sh
begin
sleep "$2"
note end code "$1"
exit "$1"
"""

CRASH = r"""
. ./library.sh
begin
sleep "$2"
note end signal "$1"
kill -"$1" $$
sleep 1000
"""

DAEMON = r"""
. ./library.sh
trap '' TERM HUP
introduce daemon
sleep 100000
"""

PARENT = r"""
. ./library.sh
begin
(setsid env -i LEDGER="$LEDGER" PLUM_INSTANCE_ID="$PLUM_INSTANCE_ID" PATH="$PATH" /bin/sh ./daemon.sh &)
(setsid /bin/sh ./daemon.sh &)
[ "$1" = stay ] && exec sleep 100000
sleep "$2"
note end code "$1"
exit "$1"
"""

STUBBORN = r"""
. ./library.sh
trap 'note term' TERM
begin
while :; do sleep 1; done
"""

FAILS_TWICE = r"""
. ./library.sh
begin
sleep "$1"
code=4
[ "$(grep -c '^start' "$me")" -lt 3 ] || code=0
note end code "$code"
exit "$code"
"""

SCRIPTS = {
    "library.sh": LIBRARY,
    "writer.sh": WRITER,
    "exits.sh": EXITS,
    "crash.sh": CRASH,
    "daemon.sh": DAEMON,
    "parent.sh": PARENT,
    "stubborn.sh": STUBBORN,
    "fails-twice.sh": FAILS_TWICE,
}


def archive(*, seed: int = 0, files: int = 0, size: int = 64) -> bytes:
    """A zip of the scripts, with so many files beside them of so many bytes that no compression shortens much."""
    rng = random.Random(seed)
    padding = {f"padding/{seed}-{number}": rng.randbytes(size // 2).hex() for number in range(files)}
    return zipped(SCRIPTS | padding)


@dataclass(frozen=True)
class Behaviour:
    """What an entry does."""

    command: str
    policy: str = "Always"
    grace: int = 10
    stays: bool = True
    """Whether it runs until it is asked to end."""
    yields: bool = True
    """Whether it ends when it is asked to, and need not be killed."""
    logs: Mapping[str, Any] = field(default_factory=dict)

    def entry(self, name: str) -> dict[str, Any]:
        """As an entry of a task, without its archive and its number of copies."""
        found = {"name": name, "startCmd": f"exec /bin/sh ./{self.command}", "restartPolicy": self.policy}
        return found | {"terminationGracePeriodSeconds": self.grace} | ({"logs": self.logs} if self.logs else {})


FAST = Behaviour("writer.sh 300 0.2", logs={"maxSize": "64Ki", "maxFiles": 100})
"""About 100 KB a second."""

SLOW = Behaviour("writer.sh 2 0.5")

BEHAVIOURS: Sequence[tuple[str, Behaviour]] = (
    ("fast", FAST),
    ("slow", SLOW),
    ("exit-3", Behaviour("exits.sh 3 1.5", stays=False)),
    ("segv", Behaviour("crash.sh SEGV 2", stays=False)),
    ("parent", Behaviour("parent.sh stay", grace=2)),
    ("stubborn", Behaviour("stubborn.sh", grace=1, yields=False)),
    ("once-5", Behaviour("exits.sh 5 4", policy="Never", stays=False)),
    ("parent-6", Behaviour("parent.sh 6 1.3", grace=2, stays=False)),
    ("fails", Behaviour("fails-twice.sh 0.8", policy="OnFailure", stays=False)),
    ("exit-0", Behaviour("exits.sh 0 2.2", stays=False)),
    ("kill", Behaviour("crash.sh KILL 1", stays=False)),
    ("slow-b", SLOW),
    ("once-0", Behaviour("exits.sh 0 6", policy="Never", stays=False)),
    ("abrt", Behaviour("crash.sh ABRT 3", stays=False)),
    ("fast-b", FAST),
    ("exit-255", Behaviour("exits.sh 255 1", stays=False)),
)


def shares(count: int) -> dict[str, int]:
    """How many copies of each behaviour make so many apps."""
    names = [name for name, _ in BEHAVIOURS]
    return {name: (count + len(names) - 1 - at) // len(names) for at, name in enumerate(names)}
