"""The endpoints of all services: of one state, and others have their turns meanwhile."""

import asyncio

from apiserver.api.kinds.endpoint import ENDPOINTS
from apiserver.server.store.decisions import Put
from apiserver.server.v1.directory import Directory
from apiserver.server.v1.projections import STEP
from tests.unit.server.test_endpoint_leases import endpoint, world


async def test_a_long_list_is_of_one_state_and_others_have_their_turns() -> None:
    names = [f"e{number:04}" for number in range(2 * STEP)]
    async with world(*map(endpoint, names)) as found:
        store = found.registry.store
        directory = Directory(store, found.registry.leases, found.leases)
        listing = asyncio.create_task(directory.all("default"))
        await asyncio.sleep(0)
        assert not listing.done()
        await store.write(lambda view: [Put(ENDPOINTS, endpoint("late"))])
        assert [view.slot.key.name for view in await listing] == names
        assert len(await directory.all("default")) == len(names) + 1
