"""``plumctl up --tls``: an app over certificates of its own, and what survives a kill."""

import shutil
import stat
from pathlib import Path

import httpx
import psutil

from tests.e2e.cluster import Cluster, command_of, running_cluster, wait_for
from tests.e2e.test_main_job import sleeper


def files(cluster: Cluster) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (cluster.directory / "tls").iterdir()}


def test_an_app_runs_and_everybody_has_a_name(tmp_path: Path) -> None:
    with running_cluster(tmp_path, "--tls", nodes=1) as cluster:
        assert cluster.url.startswith("https://127.0.0.1:")
        cluster.plumctl("app", "push", "manifests/hello/app")
        task = sleeper("stay", startCmd="echo hello from tls; exec sleep 1000", replicas=1)
        cluster.plumctl("apply", "-f", "-", stdin=task.encode())
        (copy,) = cluster.running("stay", 1)
        assert "hello from tls" in cluster.plumctl("logs", "task/stay")
        users = cluster.plumctl("history", f"assignment/{copy['metadata']['name']}", "-o", "json")
        assert all(f'"{user}"' in users for user in ("system:plum-controllers", "system:node:nodeA"))
        if shutil.which("kubectl"):
            assert copy["metadata"]["name"] in cluster.kubectl("get", "assignments")
        refused = httpx.get(f"{cluster.url}/apis", verify=False, trust_env=False)
        assert (refused.status_code, refused.json()["reason"]) == (401, "Unauthorized")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "tls").iterdir()}
        assert {mode for name, mode in modes.items() if name.endswith(".key")} == {0o600}
        assert stat.S_IMODE((tmp_path / "kubeconfig").stat().st_mode) == 0o600
        before = files(cluster)

        server = next(p for p in psutil.Process(cluster.process.pid).children() if "apiserver.server" in command_of(p))
        server.kill()
        wait_for("the server", lambda: answers(cluster))
        cluster.process.kill()
        cluster.process.wait()
    logs = "".join(path.read_text(errors="replace") for path in (tmp_path / "logs").iterdir())
    assert "Traceback" not in logs
    assert "PRIVATE KEY" not in logs

    (tmp_path / "tls" / "server.crt").write_bytes(b"-----BEGIN CERT")
    with running_cluster(tmp_path, "--tls", "--tls-san", "plum.example", nodes=1) as cluster:
        assert {name for name, content in files(cluster).items() if content != before[name]} == {
            "server.crt",
            "server.key",
        }
        (again,) = cluster.running("stay", 1)
        assert again["metadata"]["uid"] == copy["metadata"]["uid"]


def answers(cluster: Cluster) -> bool:
    try:
        return httpx.get(f"{cluster.url}/readyz", verify=False, trust_env=False).is_success
    except httpx.HTTPError:
        return False
