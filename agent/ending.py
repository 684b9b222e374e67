"""How an agent ends: plainly, and everything it runs goes on; or by a drain, which ends that first.

TERM and Ctrl-C end it plainly, so that it can be replaced. A drain is asked for by ``plum-agent stop --drain``, which
leaves a file in the data folder before it sends TERM, and by the end of the pipe from ``plumctl up``. The agent renames
the file when all has ended: one that was killed meanwhile, or had not yet begun to listen, does not.
"""

import fcntl
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import click

from agent.folders import Folders
from apiserver.lifetime import end_requested

POLL_SECONDS = 0.1


def request(folders: Folders) -> Path:
    """The file that asks for a drain."""
    return folders.root / "drain"


def answer(folders: Folders) -> Path:
    """The file that says that a drain has come to its end."""
    return folders.root / "drained"


def confirm(folders: Folders) -> None:
    """Say so, if somebody asked."""
    with suppress(OSError):
        request(folders).replace(answer(folders))


async def asked(folders: Folders, *, until_eof: bool) -> bool:
    """Wait until the agent is to end; whether everything else is to end before it."""
    with suppress(FileNotFoundError):
        request(folders).unlink()  # meant for an earlier agent
    reason = await end_requested(stdin=until_eof)
    return not reason.startswith("SIG") or request(folders).exists()


_WHOSE = "run this as the agent's user, or as root"
_UNATTENDED = "; what an earlier one left running goes on: start an agent, which takes it over, and ask that one"


@click.command()
@click.option(
    "--data-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    envvar=["PLUM_DATA_DIR", "AGENT_DATA_DIR"],
    help="The folder of the agent that is to end.",
)
@click.option("--drain", is_flag=True, help="Stop everything that it runs first. Without this, that goes on.")
@click.option(
    "--timeout", type=click.FloatRange(min=0), default=60.0, show_default=True, help="Seconds to wait for its end."
)
def stop(data_dir: Path, *, drain: bool, timeout: float) -> None:
    """End the agent of a data folder; what it runs goes on unless --drain is given.

    \b
      plum-agent stop --data-dir /var/lib/plum --drain
    """
    folders = Folders(data_dir)
    try:
        pid = _holder(folders)
    except OSError as error:
        raise click.ClickException(f"cannot see which agent works with {data_dir}: {error}; {_WHOSE}") from error
    if pid is None:
        raise click.ClickException(f"no agent works with {data_dir}{_UNATTENDED if drain else ''}")
    try:
        if drain:
            answer(folders).unlink(missing_ok=True)
            request(folders).touch()
        _terminate(pid, folders)
    except OSError as error:
        raise click.ClickException(f"cannot ask the agent, pid {pid}, to end: {error}; {_WHOSE}") from error
    deadline = time.monotonic() + timeout
    while _holder(folders) == pid:
        if time.monotonic() > deadline:
            raise click.ClickException(f"the agent, pid {pid}, has not ended within {timeout:g} s; it goes on ending")
        time.sleep(POLL_SECONDS)
    if drain and not answer(folders).exists():
        raise click.ClickException(
            f"the agent, pid {pid}, has ended, but not all that it ran: start it, and ask again when it is running"
        )
    click.echo("stopped, and everything that it ran" if drain else "stopped; what it ran goes on")


def _terminate(pid: int, folders: Folders) -> None:
    """Send TERM to the agent, and to nobody who has got its pid meanwhile. Raises OSError."""
    fd = os.pidfd_open(pid)
    try:
        if _holder(folders) == pid:
            signal.pidfd_send_signal(fd, signal.SIGTERM)
    finally:
        os.close(fd)


def _holder(folders: Folders) -> int | None:
    """The pid of the agent that works with the folder."""
    with suppress(FileNotFoundError), (folders.root / "lock").open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = file.read(32).strip()
            return int(text) if text.isdecimal() else None
    return None
