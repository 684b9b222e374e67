"""A node whose runtime starts no processes; tests with real ones have a node of their own."""

from pathlib import Path

import pytest

from agent.testing import FakeRuntime
from tests.unit.agent.driving import Site, site


@pytest.fixture
def runtime() -> FakeRuntime:
    return FakeRuntime()


@pytest.fixture
def node(tmp_path: Path, runtime: FakeRuntime) -> Site:
    return site(tmp_path, runtime)
