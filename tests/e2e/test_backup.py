"""A whole cluster into one file, and another one out of it."""

from pathlib import Path

import psutil

from tests.e2e.cluster import running_cluster, wait_for
from tests.e2e.test_main_job import sleeper


def test_a_cluster_comes_back_from_its_backup_in_another_folder(tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    with running_cluster(tmp_path / "old", nodes=1) as cluster:
        cluster.plumctl("app", "push", "manifests/hello/app")
        cluster.plumctl("apply", "-f", "-", stdin=sleeper("stay", replicas=1).encode())
        (copy,) = cluster.running("stay", 1)
        assert "1 artifacts" in cluster.plumctl("backup", str(file), "--artifacts")
        live = cluster.plumctl("restore", str(file), "--data-dir", str(cluster.directory), "--replace", code=1)
        assert "is in use by plumctl up" in live
    assert not psutil.pid_exists(copy["status"]["pid"])
    told = cluster.plumctl("restore", str(file), "--data-dir", str(tmp_path / "new"))
    assert "artifacts missing" not in told
    keep_identity(tmp_path / "old", tmp_path / "new")
    with running_cluster(tmp_path / "new", nodes=1) as again:
        # The status in the backup says Running too, so look at the processes.
        wait_for("its process", lambda: any("sleep" in found for found in again.leftovers()))
        (back,) = again.running("stay", 1)
        assert back["metadata"]["uid"] == copy["metadata"]["uid"]
        wait_for("its new status", lambda: again.assignments("stay")[0]["status"]["pid"] != copy["status"]["pid"])


def keep_identity(old: Path, new: Path) -> None:
    """Another agent would wait until the lease of the first one, which is in the backup, has run out."""
    path = Path("nodes") / "nodeA" / "identity"
    (new / path).parent.mkdir(parents=True)
    (new / path).write_bytes((old / path).read_bytes())
