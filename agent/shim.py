"""What stands between the launcher and an app: two pieces of POSIX shell, for dash, ash and bash alike.

``SHIM`` is the parent of one instance: it waits for the main process, writes down how it ended, and sees to
it that nothing of the tree outlives it. It is a subreaper, so that daemons that forked twice are its children
too, and has no other state than the files of its run. It comes in by ``sh -c``, so that a new version of this
file changes no shim that is running.

``script`` is the text that becomes the app: it notes its pid, takes its environment and is replaced by the
command. Both run in the folder of their run.
"""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

SHIM = """\
# plum-shim
trap : HUP INT QUIT TERM ALRM USR1 USR2
(exec setsid /bin/sh ./start)
code=$?
echo "$code" >exit
until=0
[ ! -e stop ] || read -r until <stop
while read -r children <"/proc/$$/task/$$/children"; [ -n "$children" ]; do
  read -r now rest </proc/uptime
  [ "${now%.*}" -lt "$until" ] || kill -KILL $children
  sleep 0.02
done
until { [ -s exit ] || echo "$code" >exit; } && echo gone >gone; do [ -e start ] || exit; sleep 1; done
"""
"""The app runs in the foreground, since a shell gives background jobs an ignored SIGINT; a trapped signal is
default again in what a shell starts, an ignored one is not. An exit code above 128 may be a signal's.

A stop under way leaves the children until ``stop``, in whole seconds of uptime, before they are killed. Reading
the list of children fails at the missing line end and fills the variable all the same. A full disk delays the
end of the shim, not that of the tree; what is written down by then is not written again, and a folder that was
removed is not waited for."""

LONGEST_TEXT = 128 * 1024 - 300
"""Bytes of one argument or variable, with its name: Linux's MAX_ARG_STRLEN."""

NO_PID = 125
"""The exit code of a script that could not note its pid, or was told not to run."""

_HEAD = f"""\
read -r stat </proc/$$/stat
set -C -- ${{stat##*) }}
echo "$$ ${{20}}" >pid || exit {NO_PID}
set +C --
exec </dev/null >>out.log 2>&1
"""
"""The pid is noted only if nobody was there before: so the agent can withdraw a start that has lost its shim. What
follows the last bracket of ``stat`` begins with the third field; the 22nd is the start time."""

_OF_THE_SHELL = frozenset(("IFS", "OPTIND", "OPTARG", "PPID", "UID", "EUID", "GROUPS", "SHELLOPTS", "LINENO", "_"))
"""Variables that a shell may refuse to set, or obey."""


def script(command: str, *, folder: Path, environment: Mapping[str, str], cgroup: Path | None = None) -> str:
    """The text that becomes the app: ``command`` for ``/bin/sh -c``, in a folder, with exactly this environment,
    and in a cgroup if that can be joined. Pure. Raises ValueError for what no process can be given."""
    for text in (command, *environment.values()):
        if "\0" in text or len(os.fsencode(text)) > LONGEST_TEXT:
            raise ValueError(f"a text with a NUL character, or of more than {LONGEST_TEXT} bytes: {text[:40]!r}")
    join = f"{{ echo $$ >{shlex.quote(str(cgroup / 'cgroup.procs'))}; }} 2>/dev/null\n" if cgroup else ""
    plain = {name: value for name, value in environment.items() if not _is_of_the_shell(name)}
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in plain.items())
    special = [f"{name}={value}" for name, value in environment.items() if name not in plain]
    words = [*(["/usr/bin/env", *special] if special else []), "/bin/sh", "-c", command]
    return f"{join}{_HEAD}cd {shlex.quote(str(folder))} || exit 126\nunset OLDPWD\n{exports}exec {shlex.join(words)}\n"


def _is_of_the_shell(name: str) -> bool:
    return name in _OF_THE_SHELL or name.startswith("BASH")
