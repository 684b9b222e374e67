"""Operators in processes of their own, as ``kopf run`` starts them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers import end

FINALIZER = "kopf.zalando.org/KopfFinalizerMarker"
"""What kopf holds an object with."""


@dataclass
class Operator:
    """How to run one: its file, where it finds the server, the namespace it looks after, and its folder."""

    source: Path
    kubeconfig: Path
    namespace: str
    """Empty: it looks after all."""
    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    @property
    def _where(self) -> list[str]:
        return ["--namespace", self.namespace] if self.namespace else ["--all-namespaces"]

    def told(self) -> list[str]:
        """What its handlers did, line by line."""
        return self.journal.read_text().splitlines() if self.journal.exists() else []

    @contextmanager
    def running(self) -> Iterator["subprocess.Popen[bytes]"]:
        """Start it, and end it whatever happens in between; what it logged is printed then."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        paths = {"KUBECONFIG": str(self.kubeconfig), "HOME": str(home), "KEEPER_JOURNAL": str(self.journal)}
        command = [sys.executable, "-m", "kopf", "run", *self._where, str(self.source)]
        log = self.folder / "operator.log"
        with log.open("ab") as file:
            process = subprocess.Popen(
                command, stdout=file, stderr=file, env=os.environ | paths | self.environ, start_new_session=True
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                end(process, 20)
            print(log.read_text())
