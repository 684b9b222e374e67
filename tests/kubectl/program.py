"""kubectl as a user runs it: a program with a home of its own, whose caches nobody else has filled."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PROGRAM = os.environ.get("PLUM_KUBECTL", "kubectl")
"""Another kubectl than the one that is found, for example of another version."""

OLDEST = (1, 30)
SECONDS = 60
Json = dict[str, Any]


def why_not() -> str:
    """Why kubectl cannot be run here; empty where it can."""
    if not shutil.which(PROGRAM):
        return f"{PROGRAM} is not installed"
    found = version()
    return "" if found >= OLDEST else f"kubectl {'.'.join(map(str, found))} is older than 1.30"


@cache
def version() -> tuple[int, int]:
    """Of the program that is run."""
    done = subprocess.run([PROGRAM, "version", "--client", "-o", "json"], capture_output=True, check=True, text=True)
    told = json.loads(done.stdout)["clientVersion"]
    return int(told["major"]), int(re.sub(r"\D.*", "", told["minor"]))


@dataclass(frozen=True)
class Kubectl:
    """One way of running it."""

    home: Path
    options: tuple[str, ...] = ()
    """What goes before the arguments of every command, such as the server."""
    variables: Mapping[str, str] | None = None

    @property
    def environ(self) -> dict[str, str]:
        """Nothing of whoever runs the tests but where programs are."""
        self.home.mkdir(parents=True, exist_ok=True)
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8", **(self.variables or {})}

    def run(self, *args: str, stdin: str | Json = "", **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end; an object as ``stdin`` is written as JSON."""
        return subprocess.run(
            [PROGRAM, *self.options, *args],
            env=self.environ | variables,
            input=stdin if isinstance(stdin, str) else json.dumps(stdin),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def __call__(self, *args: str, stdin: str | Json = "", **variables: str) -> str:
        """Run a command that succeeds; standard output."""
        done = self.run(*args, stdin=stdin, **variables)
        assert done.returncode == 0, (args, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def refused(self, *args: str, stdin: str | Json = "", code: int = 1, **variables: str) -> str:
        """Run a command that fails; standard error."""
        done = self.run(*args, stdin=stdin, **variables)
        assert done.returncode == code, (args, done.returncode, done.stdout, done.stderr)
        return done.stderr

    def json(self, *args: str) -> Json:
        """What a command shows with ``-o json``."""
        found: Json = json.loads(self(*args, "-o", "json"))
        return found

    @contextmanager
    def running(self, *args: str, out: Path) -> Iterator["subprocess.Popen[bytes]"]:
        """A command that goes on while the block does; what it prints goes to a file."""
        with out.open("wb") as stream:
            process = subprocess.Popen(
                [PROGRAM, *self.options, *args], env=self.environ, stdout=stream, stderr=subprocess.STDOUT
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait(10)
