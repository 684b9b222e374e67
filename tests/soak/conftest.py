"""What several of these tests need."""

import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """The library to preload, built here."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (cc), which builds the library that makes system calls fail")
    built = tmp_path / "failing_disk.so"
    source = Path(__file__).with_name("failing_disk.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-Wall", "-Werror", "-o", built, source, "-ldl"], check=True)
    return built
