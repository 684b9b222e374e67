"""What several of these tests need."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest


def cannot(reason: str) -> NoReturn:
    """Skip the test on a machine that cannot fail as it should; where that is required, fail."""
    if os.environ.get("PLUM_REQUIRE_FAULTS"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """The library to preload, built here."""
    compiler = shutil.which("cc")
    if compiler is None:
        cannot("no C compiler (cc), which builds the library that makes system calls fail")
    built = tmp_path / "failing_disk.so"
    source = Path(__file__).with_name("failing_disk.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-Wall", "-Werror", "-o", built, source, "-ldl"], check=True)
    return built
