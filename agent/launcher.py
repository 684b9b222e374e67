"""The program that starts shims: one line of input is the folder of a run, one fork is its shim.

It runs as ``python -ISE`` with nothing but the standard library, single-threaded, so that a fork costs little. It
has no state: it may be killed at any moment, and a folder may be sent any number of times, since only who creates
the file ``claim`` goes on. Standard output tells of what failed, as ``FOLDER<TAB>reason``. It ends with its input.
"""

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress

PR_SET_CHILD_SUBREAPER = 36
PLAIN_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def main(shim: str, marker: str, files: int) -> None:
    """Serve standard input to its end. ``shim``: the shell text; ``marker``: the name of the variable that says
    whose processes these are; ``files``: how many files they may open until they ask for more."""
    libc = ctypes.CDLL(None, use_errno=True)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that ended shims leave no zombie
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files if most == resource.RLIM_INFINITY else min(files, most), most))
    answers = os.dup(1)
    rest = b""
    while chunk := os.read(0, 65536):
        *folders, rest = (rest + chunk).split(b"\n")
        for folder in folders:
            try:
                pid = os.fork()
            except OSError as error:
                _tell(answers, folder, error)
                continue
            if pid == 0:
                _become_shim(libc, folder, shim, marker, answers)


def _become_shim(libc: ctypes.CDLL, folder: bytes, shim: str, marker: str, answers: int) -> None:
    """In the child. Never returns."""
    try:
        os.setsid()
        os.chdir(os.fsdecode(folder))  # as text, for the sake of what an error says
        if not _claim():
            os._exit(0)
        if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")
        with open("uid") as file:
            uid = file.read().strip()
        for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)
        os.execve("/bin/sh", ["sh", "-c", shim, "plum-shim"], {"PATH": PLAIN_PATH, marker: uid})
    except OSError as error:
        _tell(answers, folder, error)
    finally:
        os._exit(1)


def _claim() -> bool:
    """Whether this process is the one that runs it. The file has its name only once it says who that is."""
    with open("/proc/self/stat") as file:
        start_time = file.read().rpartition(")")[2].split()[19]
    scratch = f"claim.{os.getpid()}"
    with open(scratch, "w") as file:
        file.write(f"{os.getpid()} {start_time}\n")
    try:
        os.link(scratch, "claim")
    except FileExistsError:
        return False
    finally:
        os.unlink(scratch)
    return True


def _tell(answers: int, folder: bytes, error: OSError) -> None:
    text = str(error).encode(errors="replace").replace(b"\n", b" ")
    with suppress(OSError):  # nobody may listen any more
        os.write(answers, b"%s\t%s\n" % (folder, text))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
