"""The commands of the pages about ``/v1``, as they are written there: an archive, an upload, a task, discovery."""

import os
import re
import socket
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.e2e.cluster import Cluster, running_cluster, wait_for

PAGE = Path("docs/v1.md").read_text(encoding="utf-8")
READMES = ("README.md", "README.zh-CN.md")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def blocks(text: str) -> list[str]:
    """The page's blocks of commands."""
    return re.findall(r"```bash\n(.*?)```", text, re.DOTALL)


def bash(cluster: Cluster, folder: Path, script: str) -> str:
    """Run commands as a user would; standard output."""
    path = f"{Path('.venv/bin').absolute()}:{os.environ['PATH']}"
    found = subprocess.run(
        ["bash", "-euc", script.replace("http://127.0.0.1:8080", cluster.url)],
        cwd=folder, env=cluster.environ | {"PATH": path}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert found.returncode == 0, (found.stdout, found.stderr)
    return found.stdout


def test_the_demo_ends_with_a_service_that_answers(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    port = str(free_port())
    (script,) = [block for block in blocks(PAGE) if "apps/upload" in block]
    with running_cluster(tmp_path / "data", nodes=1) as cluster:
        bash(cluster, folder, script.replace("8181", port))
        url = f"{cluster.url}/v1/discovery?service=orders&version=&protocol=http&limit=20"
        (endpoint,) = wait_for("the endpoint", lambda: httpx.get(url, trust_env=False).json())
        assert (endpoint["nodeId"], endpoint["port"], endpoint["healthy"]) == ("nodeA", int(port), True)
        address = f"http://{endpoint['ip']}:{port}/meta.ini"
        wait_for("the app", lambda: _answers(address))
        (folder / "orders.zip").rename(folder / "app.zip")
        httpx.delete(f"{cluster.url}/v1/tasks/demo-task", trust_env=False).raise_for_status()
        for name in READMES:
            _try_readme(cluster, folder, Path(name).read_text(encoding="utf-8"))


def _try_readme(cluster: Cluster, folder: Path, text: str) -> None:
    """The shorter demo of a README, with an archive that is there."""
    (script,) = [block for block in blocks(text) if "apps/upload" in block]
    shown = bash(cluster, folder, script)
    assert '"taskId":"demo-task"' in shown
    assert "demo-task" in shown.rsplit('"taskId"', 1)[-1], "plumctl shows the same task"
    detail = httpx.get(f"{cluster.url}/v1/tasks/demo-task", trust_env=False).json()
    assert len(detail["assignments"]) == 1
    httpx.delete(f"{cluster.url}/v1/tasks/demo-task", trust_env=False).raise_for_status()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.HTTPError:
        return False


@pytest.mark.parametrize("name", READMES)
def test_the_readmes_lead_to_the_pages(name: str) -> None:
    text = Path(name).read_text(encoding="utf-8")
    for page in ("docs/v1.md", "docs/services.md", "docs/migration.md"):
        assert page in text
        assert Path(page).exists()
