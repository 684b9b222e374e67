"""The agent as a whole, with a real process, tells what that uses."""

import asyncio
from pathlib import Path

from agent.process_runtime import ProcessRuntime
from apiserver.api.usage import InstanceUsage, UsageReport
from tests.unit.agent.driving import site

FORKS = "sleep 1000 & exec sleep 1000"


async def test_an_agent_reports_its_node_and_the_trees_of_its_instances(tmp_path: Path) -> None:
    runtime = ProcessRuntime()
    node = site(tmp_path, runtime)
    sent: asyncio.Queue[UsageReport] = asyncio.Queue()
    try:
        async with node.agent(send_usage=sent.put):
            one = await node.create("web", command=FORKS)
            await node.reaches("web", "Running")
            async with asyncio.timeout(60):
                report = await sent.get()
                while [found.processes for found in report.instances] != [2]:  # on a slow machine it is not up yet
                    report = await sent.get()
    finally:
        runtime.close()
    assert report.node.cpus >= 1
    (found,) = report.instances
    assert (found.namespace, found.name, found.uid) == (*one.key, one.metadata.uid)
    assert (found.run, found.restarts) == (1, 0)
    assert InstanceUsage.model_validate_json(found.model_dump_json(by_alias=True)) == found
