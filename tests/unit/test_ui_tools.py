"""What builds and checks the web UI, where Node.js is there and where it is not."""

import re
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path("ui/scripts/with-node.sh").resolve()


def run(folder: Path, version: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """The script with a Node.js that says so, and a command that ends with 7."""
    if version:
        for name, does in (("node", f"echo {version}"), ("npm", "exit 1")):
            (folder / name).write_text(f"#!/bin/sh\n{does}\n")
            (folder / name).chmod(0o755)
    command = ["/bin/sh", str(SCRIPT), "The web UI", "/bin/sh", "-c", "echo built; exit 7"]
    return subprocess.run(command, env={"PATH": str(folder)} | environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("version", ["v20.19.0", "v20.20.2", "v22.12.0", "v24.0.0", "v100.0.1"])
def test_a_command_runs_where_node_is_new_enough(tmp_path: Path, version: str) -> None:
    done = run(tmp_path, version)
    assert (done.stdout, done.stderr, done.returncode) == ("built\n", "", 7)


@pytest.mark.parametrize("version", ["", "v18.20.4", "v20.18.3", "v21.9.0", "v22.11.0"])
def test_elsewhere_it_says_what_is_missing_and_fails_if_it_must(tmp_path: Path, version: str) -> None:
    done = run(tmp_path, version)
    assert (done.stdout, done.returncode) == ("", 0)
    assert re.fullmatch(r"The web UI needs Node\.js .+\n", done.stderr)
    required = run(tmp_path, version, PLUM_REQUIRE_UI="1")
    assert (required.stdout, required.stderr, required.returncode) == ("", done.stderr, 1)
