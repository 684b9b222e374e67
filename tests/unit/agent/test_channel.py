"""The agent's end of a channel, whatever the way to the server comes to."""

import asyncio
from pathlib import Path

import httpx
import pytest

from agent import channel
from agent.channel import Channel
from apiserver.client.backoff import Backoff
from tests.background import background
from tests.unit.agent.waiting import eventually


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("refused"), OSError(24, "Too many open files"), RuntimeError("?")]
)
async def test_whatever_fails_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(channel, "RETRY", Backoff(base=0.001, cap=0.001))
    tries = 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal tries
        tries += 1
        await asyncio.sleep(0)
        raise error

    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://server") as http,
        background(Channel(http, "n", tmp_path).run()),
    ):
        await eventually(lambda: tries >= 3)
