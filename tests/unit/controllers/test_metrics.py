"""What is scraped from a manager at work."""

import asyncio
import re

import httpx

from apiserver.client.testing import MemoryCluster
from controllers.manager import Manager
from controllers.metrics import Metrics
from tests.unit.controllers.world import World


def scrape(url: str) -> dict[str, float]:
    lines = httpx.get(url, trust_env=False).text.splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


async def test_the_work_of_every_loop_is_counted() -> None:
    cluster, metrics = MemoryCluster(), Metrics()
    world = World(cluster)
    running = asyncio.create_task(Manager(cluster.client, identity="me", metrics=metrics).run())
    try:
        with metrics.served("127.0.0.1", 0) as url:
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/metrics", url)
            await world.push("web", "1", "1")
            await world.apply_task(entries=[{"app": {"name": "web", "version": "1"}, "replicas": 3}])
            wanted = {
                'plum_leader{name="plum-controllers"}': 1,
                'leader_election_master_status{name="plum-controllers"}': 1,
                'plum_leader_transitions_total{name="plum-controllers"}': 1,
                'plum_informer_objects{resource="assignments"}': 3,
                'plum_informer_lists_total{resource="assignments"}': 1,
                'workqueue_depth{name="tasks"}': 0,
                'workqueue_retries_total{name="tasks"}': 0,
                'controller_runtime_reconcile_errors_total{controller="tasks"}': 0,
            }

            async def are_right() -> bool:
                found = await asyncio.to_thread(scrape, url)
                return wanted.items() <= found.items()

            await world.until(are_right)
            found = await asyncio.to_thread(scrape, url)
            for name in ("tasks", "scheduler", "nodes", "endpoints", "services", "garbage", "events"):
                assert f'workqueue_adds_total{{name="{name}"}}' in found
            assert found['workqueue_adds_total{name="tasks"}'] >= 1
            assert found['controller_runtime_reconcile_time_seconds_count{controller="tasks"}'] >= 1
            assert found['controller_runtime_reconcile_time_seconds_bucket{controller="tasks",le="60.0"}'] >= 1
            running.cancel()
            await asyncio.wait([running])
            found = await asyncio.to_thread(scrape, url)
            assert found['plum_leader{name="plum-controllers"}'] == 0
            assert found['plum_leader_transitions_total{name="plum-controllers"}'] == 2
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
