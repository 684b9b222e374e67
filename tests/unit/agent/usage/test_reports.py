import asyncio
import gzip
import logging
import random
from pathlib import Path

import httpx
import orjson
import pytest

from agent.packing import PACK_BYTES, packed
from agent.usage.looks import Looks
from agent.usage.reports import UsageReports, to_server
from apiserver.api.errors import ApiError, NotFound, ServiceUnavailable
from apiserver.api.usage import InstanceUsage, NodeUsage, UsageReport
from tests.background import background


def report(instances: int = 0) -> UsageReport:
    one = InstanceUsage(namespace="default", name="a", uid="u", cpu_seconds=1.5)
    return UsageReport(node=NodeUsage(cpus=2), instances=(one,) * instances)


async def test_reports_follow_each_other_though_some_do_not_get_through(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    answers: list[Exception | None] = [
        ServiceUnavailable("away"), httpx.ConnectError("refused"), TimeoutError(), None, NotFound("no such node"),
    ]  # fmt: skip
    sent: list[UsageReport] = []
    done = asyncio.Event()

    async def send(found: UsageReport) -> None:
        sent.append(found)
        if len(sent) > len(answers):
            done.set()
        elif error := answers[len(sent) - 1]:
            raise error

    reports = UsageReports(Looks(tmp_path), lambda: (), send, rng=random.Random(0), first=0.001, every=0.001)
    with caplog.at_level(logging.WARNING):
        async with background(reports.run()), asyncio.timeout(10):
            await done.wait()
    assert all(found.node.cpus for found in sent)
    told = [record.getMessage() for record in caplog.records]
    assert told == [f"usage was not reported: {what}; trying again" for what in ("away", "no such node")]


def test_long_reports_are_compressed() -> None:
    raw, headers = packed(report())
    assert "content-encoding" not in headers
    assert orjson.loads(raw)["node"]["cpus"] == 2
    content, headers = packed(report(500))
    assert headers["content-encoding"] == "gzip"
    assert len(content) < PACK_BYTES
    assert UsageReport.model_validate_json(gzip.decompress(content)) == report(500)


async def test_a_report_goes_to_its_node() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(204 if len(asked) == 1 else 404)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://server") as http:
        send = to_server(http, "node.A")
        await send(report())
        with pytest.raises(ApiError):
            await send(report())
    assert (asked[0].method, asked[0].url.path) == ("PUT", "/apis/plum.dev/v1/nodes/node.A/usage")
    assert UsageReport.model_validate_json(asked[0].content) == report()
