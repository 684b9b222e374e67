"""One object through time: as it is, then each change, over breaks and restarts of the server."""

import asyncio
import random
from collections.abc import AsyncGenerator

from apiserver.api.errors import Expired, InternalError, ServiceUnavailable, Timeout, TooManyRequests
from apiserver.api.meta import Body
from apiserver.api.selectors import escaped
from apiserver.client.backoff import Backoff
from apiserver.client.rest import RestClient
from plumctl.cli import talk
from plumctl.raw import place, read
from plumctl.targets import Named

POLL_SECONDS = 25
"""Shorter than the client waits for an answer."""

RETRY = Backoff(base=0.1, cap=2.0)
_LATER = (ServiceUnavailable, Timeout, TooManyRequests, InternalError)


async def states(client: RestClient, target: Named, namespace: str) -> AsyncGenerator[Body | None, None]:
    """The object as it is, None while there is none, and then as each change leaves it; without end.

    No change is left out but those the server has forgotten: then the present state is next. Raises ApiError: for the
    first request any, later only for what waiting does not mend.
    """
    path = place(client, target.kind, namespace)
    selected = {"fieldSelector": f"metadata.name={escaped(target.name)}"}
    rng, version, failures, begun = random.Random(), "", 0, False
    while True:
        try:
            if not version:
                page = await read(client, path, query=selected)
                found, version = page["items"], str(page["metadata"]["resourceVersion"])
                begun = True
                yield found[0] if found else None
            query = {"watch": "poll", "resourceVersion": version, "timeoutSeconds": str(POLL_SECONDS), **selected}
            batch = await read(client, path, query=query)
            for event in batch["items"]:
                yield None if event["type"] == "DELETED" else event["object"]
            version, failures = str(batch["metadata"]["resourceVersion"]), 0
        except Expired:
            version = ""
            failures += 1
            await asyncio.sleep(RETRY.delay(failures - 1, rng))
        except _LATER as error:
            if not begun:
                raise
            if failures == 0:
                talk(f"{error.message}; trying again")
            failures += 1
            await asyncio.sleep(RETRY.delay(failures - 1, rng))
