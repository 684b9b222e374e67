"""The peers on one machine, supervisord and PM2, in a folder of their own that the first run fills."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xmlrpc.client import ServerProxy

from tests.bench.accounts import sleepers
from tests.bench.holders import end_all, until, until_gone
from tests.bench.processes import free_address

CACHE = Path(".bench").absolute()
INSTALL_SECONDS = 60.0
SUPERVISORD = CACHE / "supervisor" / "bin" / "supervisord"
PM2 = CACHE / "pm2" / "node_modules" / ".bin" / "pm2"

CONFIG = """
[supervisord]
nodaemon=true
directory={folder}
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
childlogdir={folder}
minfds=4096
[inet_http_server]
port=127.0.0.1:{port}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""
PROGRAM = """
[program:apps{count}]
command=sleep {argument}
process_name=%(process_num)03d
numprocs={count}
autostart={autostart}
startsecs=0
"""


class NotInstalled(Exception):
    """The peer is not here and could not be installed; the text says why."""


def install_supervisord() -> None:
    """A virtual environment with it, unless there is one. Raises NotInstalled."""
    folder = SUPERVISORD.parents[1]
    if not SUPERVISORD.exists():
        _run(sys.executable, "-m", "venv", str(folder))
        _run(str(folder / "bin" / "pip"), "install", "--quiet", "supervisor")


def install_pm2() -> None:
    """A folder of node's with it, unless there is one. Raises NotInstalled."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise NotInstalled("node and npm are not installed")
    if not PM2.exists():
        folder = CACHE / "pm2"
        folder.mkdir(parents=True, exist_ok=True)
        _run("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), "pm2")


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        raise NotInstalled(f"{command[0]}: {error}") from error


class Supervisord:
    """One supervisord over its XML-RPC interface, in which ``supervisorctl`` speaks too."""

    name, argument, period = "supervisord", "1000021", 5.0

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_address()[1]
        self._count = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._write(autostart=False)
        self._start()

    def run(self, count: int) -> float:
        self._count = count
        self._write(autostart=False)
        rpc = self._rpc()
        rpc.supervisor.reloadConfig()
        rpc.supervisor.addProcessGroup(self._group)
        began = time.monotonic()
        rpc.supervisor.startProcessGroup(self._group, True)
        return time.monotonic() - began

    def stop(self) -> float:
        rpc, began = self._rpc(), time.monotonic()
        rpc.supervisor.stopProcessGroup(self._group, True)
        until_gone(self.argument)
        took = time.monotonic() - began
        rpc.supervisor.removeProcessGroup(self._group)
        return took

    def own(self) -> Sequence[int]:
        assert self._process
        return [self._process.pid]

    def helpers(self) -> Sequence[int]:
        return []

    def shims(self) -> Sequence[int]:
        return []

    def kill(self) -> None:
        assert self._process
        self._process.kill()
        self._process.wait(10)

    def revive(self) -> None:
        self._write(autostart=True)
        self._start()
        until(lambda: len(self.managed()) == self._count, "supervisord starts its apps")

    def managed(self) -> set[int]:
        infos: Any = self._rpc().supervisor.getAllProcessInfo()
        return {info["pid"] for info in infos if info["statename"] == "RUNNING"}

    def close(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(60)

    @property
    def _group(self) -> str:
        return f"apps{self._count}"

    def _rpc(self) -> Any:
        return ServerProxy(f"http://127.0.0.1:{self._port}/RPC2", allow_none=True)

    def _write(self, *, autostart: bool) -> None:
        text = CONFIG.format(folder=self._folder, port=self._port)
        if self._count:
            text += PROGRAM.format(count=self._count, argument=self.argument, autostart=str(autostart).lower())
        (self._folder / "supervisord.conf").write_text(text)

    def _start(self) -> None:
        command = [str(SUPERVISORD), "-c", str(self._folder / "supervisord.conf")]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._answers, "supervisord answers")

    def _answers(self) -> bool:
        try:
            return bool(self._rpc().supervisor.getState())
        except OSError:
            return False


class Pm2:
    """One PM2 daemon through its command, whose own start of about 0.4 s is in every figure."""

    name, argument, period = "PM2", "1000022", 5.0

    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0
        home = {"PM2_HOME": str(folder / "home"), "PM2_DISABLE_VERSION_CHECK": "true", "HOME": str(folder)}
        self._environ = dict(os.environ) | home
        self._command("ping")

    def run(self, count: int) -> float:
        self._count = count
        app = {"name": "apps", "script": "sleep", "args": self.argument, "interpreter": "none"}
        file = self._folder / "apps.json"
        file.write_text(json.dumps({"apps": [app | {"instances": count, "exec_mode": "fork"}]}))
        began = time.monotonic()
        self._command("start", str(file))
        return time.monotonic() - began

    def stop(self) -> float:
        began = time.monotonic()
        self._command("delete", "all")
        until_gone(self.argument)
        return time.monotonic() - began

    def own(self) -> Sequence[int]:
        return [int((self._folder / "home" / "pm2.pid").read_text())]

    def helpers(self) -> Sequence[int]:
        return []

    def shims(self) -> Sequence[int]:
        return []

    def kill(self) -> None:
        self._command("save")
        (pid,) = self.own()
        os.kill(pid, signal.SIGKILL)
        until(lambda: not Path(f"/proc/{pid}").exists(), "PM2 is gone")

    def revive(self) -> None:
        self._command("resurrect")
        until(lambda: len(self.managed()) == self._count, "PM2 starts its apps")

    def managed(self) -> set[int]:
        listed = json.loads(self._command("jlist").partition("[{")[2].join(("[{", "")) or "[]")
        return {app["pid"] for app in listed if app["pm2_env"]["status"] == "online"}

    def close(self) -> None:
        self._command("kill")

    def _command(self, *args: str) -> str:
        found = subprocess.run(
            [str(PM2), *args], env=self._environ, cwd=self._folder, capture_output=True, timeout=120, check=True
        )
        return found.stdout.decode()


@contextmanager
def supervisord(folder: Path) -> Iterator[Supervisord]:
    """A supervisord without apps. Raises NotInstalled."""
    install_supervisord()
    folder.mkdir(parents=True)
    holder = Supervisord(folder)
    try:
        yield holder
    finally:
        holder.close()
        _sweep(holder.argument)


@contextmanager
def pm2(folder: Path) -> Iterator[Pm2]:
    """A PM2 without apps. Raises NotInstalled."""
    install_pm2()
    folder.mkdir(parents=True)
    holder = Pm2(folder)
    try:
        yield holder
    finally:
        holder.close()
        _sweep(holder.argument)


def _sweep(argument: str) -> None:
    """End the apps that a holder has lost."""
    end_all(sleepers(argument))
    until_gone(argument)
