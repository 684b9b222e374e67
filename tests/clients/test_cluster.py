"""The page about client libraries, run as it stands there; and pods, which only a whole cluster has."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import kr8s
import lightkube
import pytest
from kr8s._async_utils import as_sync_func
from kubernetes import client, config, watch
from lightkube.resources import core_v1

from tests.clients.bodies import API_VERSION
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


OF_TASK = "plum.dev/task=chatty"
CHATTY: dict[str, Any] = {
    "apiVersion": API_VERSION,
    "kind": "Task",
    "metadata": {"name": "chatty"},
    "spec": {
        "entries": [
            {
                "name": "main",
                "app": {"name": "hello", "version": "1.0.0"},
                "startCmd": "echo one; echo two; exec sleep 3600",
            }
        ]
    },
}


def test_what_runs_is_pods_with_logs(cluster: Cluster) -> None:
    kubeconfig = str(cluster.directory / "kubeconfig")
    cluster.plumctl("apply", "-f", "-", stdin=json.dumps(CHATTY).encode())
    cluster.running("chatty", 1)
    pods_by_lightkube(kubeconfig)
    pods_by_kr8s(kubeconfig)
    pods_by_kubernetes(kubeconfig)


def pods_by_kubernetes(kubeconfig: str) -> None:
    with config.new_client_from_config(kubeconfig) as api:
        core = client.CoreV1Api(api)
        (pod,) = core.list_namespaced_pod("default", label_selector=OF_TASK).items
        assert (pod.status.phase, pod.spec.node_name, pod.spec.containers[0].name) == ("Running", "nodeA", "main")
        assert pod.status.container_statuses[0].ready
        name = pod.metadata.name
        assert core.read_namespaced_pod_log(name, "default") == "one\ntwo\n"
        assert core.read_namespaced_pod_log(name, "default", tail_lines=1) == "two\n"
        watcher, lines = watch.Watch(), []
        for line in watcher.stream(core.read_namespaced_pod_log, name=name, namespace="default"):
            lines.append(line)
            if len(lines) == 2:
                watcher.stop()
        assert lines == ["one", "two"]
        core.delete_namespaced_pod(name, "default")
        for event in watcher.stream(core.list_namespaced_pod, "default", label_selector=OF_TASK, timeout_seconds=30):
            if event["object"].metadata.name != name and event["object"].status.phase == "Running":
                watcher.stop()  # the task has made another


def pods_by_lightkube(kubeconfig: str) -> None:
    with lightkube.Client(lightkube.KubeConfig.from_file(kubeconfig)) as found:
        (pod,) = found.list(core_v1.Pod, labels={"plum.dev/task": "chatty"})
        found.wait(core_v1.Pod, pod.metadata.name, for_conditions=["Ready"])
        assert list(found.log(pod.metadata.name)) == ["one\n", "two\n"]
        with closing(found.log(pod.metadata.name, follow=True, newlines=False)) as lines:
            assert [next(lines), next(lines)] == ["one", "two"]


def pods_by_kr8s(kubeconfig: str) -> None:
    api = kr8s.api(kubeconfig=kubeconfig)
    (pod,) = api.get("pods", label_selector=OF_TASK)
    assert pod.ready()
    assert list(pod.logs(tail_lines=1)) == ["two"]
    close = as_sync_func(api._session.aclose)
    close()
