"""A node's channel without the rest of an agent: a process of its own, or a part of the test."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from agent import channel
from agent.channel import Channel
from apiserver.client.backoff import Backoff

ASSIGNMENTS = "/apis/plum.dev/v1/namespaces/default/assignments"
NODES = "/apis/plum.dev/v1/nodes"


def client(url: str) -> httpx.AsyncClient:
    """What a channel needs."""
    return httpx.AsyncClient(base_url=url, trust_env=False, limits=httpx.Limits(max_connections=80))


async def hold(url: str, node: str, data: Path) -> None:
    """Hold a node's channel until cancelled."""
    async with client(url) as http:
        await Channel(http, node, data).run()


@contextmanager
def channel_process(url: str, node: str, data: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The same as a process."""
    command = [sys.executable, "-m", "tests.channels", url, node, str(data)]
    with subprocess.Popen(command) as process:
        try:
            yield process
        finally:
            process.kill()


def assignment(name: str, node: str) -> dict[str, Any]:
    """An assignment as a task controller would make it."""
    template = {"artifactUrl": "/x.zip", "sha256": "a" * 64}
    spec = {"taskName": "web", "entry": "main", "nodeName": node, "template": template, "templateHash": "h"}
    metadata = {"name": name, "labels": {"plum.dev/task": "web"}}
    return {"apiVersion": "plum.dev/v1", "kind": "Assignment", "metadata": metadata, "spec": spec}


if __name__ == "__main__":
    channel.RETRY = Backoff(base=0.05, cap=0.3)  # tests need not wait as long as a fleet
    asyncio.run(hold(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
