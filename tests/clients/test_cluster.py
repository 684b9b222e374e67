"""The page about client libraries, run as it stands there, and what only a whole cluster has."""

import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.cluster import Cluster, running_cluster

PAGE = Path("docs/clients.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Over TLS, with the client certificate of the kubeconfig."""
    with running_cluster(tmp_path_factory.mktemp("cluster") / "data", "--tls", nodes=1) as found:
        found.plumctl("app", "push", "manifests/hello/app")
        yield found


def test_the_page_says_what_happens(cluster: Cluster) -> None:
    assert len(SNIPPETS) == PAGE.count("```python") == 4

    def run(script: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", script]
        return subprocess.run(
            command, env=cluster.environ, cwd=cluster.directory, capture_output=True, text=True, timeout=90, check=False
        )

    with ThreadPoolExecutor(2) as pool:
        for found, (script, output) in zip(pool.map(run, [one for one, _ in SNIPPETS]), SNIPPETS, strict=True):
            assert (found.returncode, found.stdout) == (0, output), (script, found.stderr)
    assert cluster.kubectl("get", "tasks", "-o", "name") == ""
