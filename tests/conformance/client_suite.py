"""What every client promises, whatever server is behind it."""

import pytest

from apiserver.api.errors import AlreadyExists, BadRequest, Conflict, Invalid, NotFound
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.lease import Lease, LeaseSpec
from apiserver.api.kinds.task import Task, TaskStatus
from apiserver.api.meta import Body, ObjectMeta
from tests.conformance.client_watch_suite import WatchSuite
from tests.conformance.client_world import World, assignment, config, fenced_writes, names, spec, task, version


class ClientSuite(WatchSuite):
    """Subclasses provide a fixture ``world``."""

    async def test_an_object_is_read_as_it_was_created(self, world: World) -> None:
        client = world.client("alice")
        created = await client.create(task(world, "a"))
        assert await client.get(Task, "a", namespace=world.namespace) == created
        metadata = created.metadata
        assert metadata.uid
        assert metadata.creation_timestamp
        assert metadata.generation == 1
        assert int(metadata.resource_version or 0) > 0
        assert [entry.manager for entry in metadata.managed_fields] == ["alice"]

    async def test_a_second_create_of_a_name_already_exists(self, world: World) -> None:
        client = world.client("alice")
        await client.create(task(world, "a"))
        with pytest.raises(AlreadyExists) as caught:
            await client.create(task(world, "a"))
        assert caught.value.message == 'tasks.plum.dev "a" already exists'

    async def test_names_are_generated(self, world: World) -> None:
        client = world.client("alice")
        nameless = Task(metadata=ObjectMeta(generate_name="run-", namespace=world.namespace), spec=spec())
        names = {(await client.create(nameless)).metadata.name for _ in range(3)}
        assert len(names) == 3
        assert all(name.startswith("run-") and len(name) == 9 for name in names)

    async def test_what_is_not_there_is_not_found(self, world: World) -> None:
        client = world.client("alice")
        with pytest.raises(NotFound) as caught:
            await client.get(Task, "a", namespace=world.namespace)
        assert caught.value.message == 'tasks.plum.dev "a" not found'
        assert caught.value.details.name == "a"
        with pytest.raises(NotFound):
            await client.patch(Task, "a", {"spec": {"state": "Stopped"}}, namespace=world.namespace)
        with pytest.raises(NotFound):
            await client.delete(Task, "a", namespace=world.namespace)
        with pytest.raises(NotFound):
            await client.apply(Task, "a", {"status": {"replicas": 1}}, namespace=world.namespace, subresource="status")

    async def test_a_namespace_must_exist(self, world: World) -> None:
        missing = Task(metadata=ObjectMeta(name="a", namespace="nowhere"), spec=spec())
        with pytest.raises(NotFound, match="nowhere"):
            await world.client("alice").create(missing)
        with pytest.raises(NotFound, match="nowhere"):
            await world.client("alice").apply(Task, "a", config(), namespace="nowhere")

    async def test_invalid_objects_are_refused_and_the_field_is_named(self, world: World) -> None:
        bad: Body = {"spec": {"entries": [{"name": "main", "artifactUrl": "/x", "replicas": -1}]}}
        with pytest.raises(Invalid) as caught:
            await world.client("alice").apply(Task, "a", bad, namespace=world.namespace)
        assert [cause.field for cause in caught.value.details.causes] == ["spec.entries[0].replicas"]
        with pytest.raises(NotFound):
            await world.client("alice").get(Task, "a", namespace=world.namespace)

    async def test_lists_are_selected_by_labels(self, world: World) -> None:
        client = world.client("alice")
        for name, tier in (("a", "web"), ("b", "db"), ("c", "web")):
            await client.create(task(world, name, tier=tier))
        assert await names(client, world, labels="tier=web") == ["a", "c"]
        assert await names(client, world, labels="tier in (web, db),tier!=web") == ["b"]
        assert await names(client, world, labels="!tier") == []
        with pytest.raises(BadRequest):
            await names(client, world, labels="tier in web")

    async def test_lists_are_selected_by_fields(self, world: World) -> None:
        client = world.client("alice")
        for name, node in (("a", "n1"), ("b", "n2")):
            await client.create(assignment(world, name, node))
        page = await client.list(Assignment, namespace=world.namespace, fields="spec.nodeName=n2")
        assert [item.metadata.name for item in page.items] == ["b"]
        assert await names(client, world, fields="metadata.name=a") == []
        with pytest.raises(BadRequest, match="not supported"):
            await names(client, world, fields="spec.state=Running")

    async def test_pages_are_in_order_complete_and_of_one_version(self, world: World) -> None:
        client = world.client("alice")
        wanted = [f"t{number}" for number in range(5)]
        for name in wanted:
            await client.create(task(world, name))
        found, versions, token = [], set(), ""
        for length in (2, 2, 1):
            page = await client.list(Task, namespace=world.namespace, limit=2, continue_token=token)
            assert len(page.items) == length
            found += [item.metadata.name for item in page.items]
            versions.add(page.resource_version)
            token = page.continue_token
            await client.patch(
                Task, "t0", {"metadata": {"labels": {"page": str(len(found))}}}, namespace=world.namespace
            )
        assert token == ""
        assert found == wanted
        assert len(versions) == 1

    async def test_an_empty_namespace_lists_all(self, world: World) -> None:
        client = world.client("alice")
        await client.create(task(world, "a"))
        page = await client.list(Task)
        assert (world.namespace, "a") in [item.key for item in page.items]

    async def test_a_merge_patch_changes_what_it_names(self, world: World) -> None:
        client = world.client("alice")
        old = await client.create(task(world, "a", tier="web"))
        new = await client.patch(
            Task, "a", {"spec": {"state": "Stopped"}, "metadata": {"labels": {"tier": None}}}, namespace=world.namespace
        )
        assert (new.spec.state, new.metadata.labels, new.spec.entries) == ("Stopped", {}, old.spec.entries)
        assert version(new) > version(old)

    async def test_a_json_patch_is_all_or_nothing(self, world: World) -> None:
        client = world.client("alice")
        old = await client.create(task(world, "a"))
        patch = [
            {"op": "replace", "path": "/spec/state", "value": "Stopped"},
            {"op": "test", "path": "/spec/entries/0/name", "value": "other"},
        ]
        with pytest.raises(Invalid):
            await client.patch(Task, "a", patch, namespace=world.namespace)
        assert await client.get(Task, "a", namespace=world.namespace) == old
        new = await client.patch(Task, "a", patch[:1], namespace=world.namespace)
        assert new.spec.state == "Stopped"

    async def test_a_write_on_a_stale_version_conflicts(self, world: World) -> None:
        client = world.client("alice")
        old = await client.create(task(world, "a"))
        await client.patch(Task, "a", {"spec": {"state": "Stopped"}}, namespace=world.namespace)
        stale: Body = {"metadata": {"resourceVersion": old.metadata.resource_version}, "spec": {"state": "Running"}}
        with pytest.raises(Conflict, match="the object has been modified"):
            await client.patch(Task, "a", stale, namespace=world.namespace)

    async def test_a_write_that_changes_nothing_keeps_the_version(self, world: World) -> None:
        client = world.client("alice")
        old = await client.apply(Task, "a", config(), namespace=world.namespace)
        assert await client.apply(Task, "a", config(), namespace=world.namespace) == old
        assert await client.patch(Task, "a", {"spec": {"state": "Running"}}, namespace=world.namespace) == old
        assert await client.patch(Task, "a", [], namespace=world.namespace) == old

    async def test_generation_counts_changes_of_the_spec_only(self, world: World) -> None:
        client = world.client("alice")

        async def after(patch: Body, subresource: str = "") -> int | None:
            new = await client.patch(Task, "a", patch, namespace=world.namespace, subresource=subresource)
            return new.metadata.generation

        await client.create(task(world, "a"))
        assert await after({"metadata": {"labels": {"x": "y"}}}) == 1
        assert await after({"status": {"replicas": 3}}, "status") == 1
        assert await after({"spec": {"state": "Stopped"}}) == 2
        assert await after({"metadata": {"generation": 9}}) == 2

    async def test_status_has_a_door_of_its_own(self, world: World) -> None:
        client = world.client("alice")
        given = Task(
            metadata=ObjectMeta(name="a", namespace=world.namespace), spec=spec(), status=TaskStatus(replicas=7)
        )
        assert (await client.create(given)).status.replicas == 0
        main = await client.patch(
            Task, "a", {"spec": {"state": "Stopped"}, "status": {"replicas": 5}}, namespace=world.namespace
        )
        assert (main.spec.state, main.status.replicas) == ("Stopped", 0)
        door = await client.patch(
            Task,
            "a",
            {"spec": {"state": "Running"}, "status": {"replicas": 5}},
            namespace=world.namespace,
            subresource="status",
        )
        assert (door.spec.state, door.status.replicas) == ("Stopped", 5)

    async def test_apply_creates_and_removes_what_it_no_longer_names(self, world: World) -> None:
        alice = world.client("alice")
        first = config(metadata={"labels": {"a": "1", "b": "2"}})
        created = await alice.apply(Task, "a", first, namespace=world.namespace)
        assert created.metadata.labels == {"a": "1", "b": "2"}
        await world.client("bob").apply(Task, "a", {"metadata": {"labels": {"c": "3"}}}, namespace=world.namespace)
        second = config(metadata={"labels": {"a": "1"}})
        applied = await alice.apply(Task, "a", second, namespace=world.namespace)
        assert applied.metadata.labels == {"a": "1", "c": "3"}
        assert applied.spec.entries[0].replicas == 1

    async def test_apply_conflicts_name_the_owner_unless_forced(self, world: World) -> None:
        alice, bob = world.client("alice"), world.client("bob")
        mine: Body = config(state="Running")
        await alice.apply(Task, "a", mine, namespace=world.namespace)
        theirs: Body = {"spec": {"state": "Stopped"}}
        with pytest.raises(Conflict, match="alice") as caught:
            await bob.apply(Task, "a", theirs, namespace=world.namespace, force=False)
        assert [cause.field for cause in caught.value.details.causes] == [".spec.state"]
        forced = await bob.apply(Task, "a", theirs, namespace=world.namespace)
        assert forced.spec.state == "Stopped"
        with pytest.raises(Conflict, match="bob"):
            await alice.apply(Task, "a", mine, namespace=world.namespace, force=False)

    async def test_apply_of_status_owns_only_status(self, world: World) -> None:
        client, controller = world.client("alice"), world.client("controller")
        await client.apply(Task, "a", config(), namespace=world.namespace)
        new = await controller.apply(
            Task, "a", {"status": {"replicas": 2}}, namespace=world.namespace, subresource="status"
        )
        assert (new.status.replicas, new.spec.state) == (2, "Running")
        assert (await client.apply(Task, "a", config(), namespace=world.namespace)).status.replicas == 2

    async def test_a_deleted_object_is_gone(self, world: World) -> None:
        client = world.client("alice")
        await client.create(task(world, "a"))
        await client.delete(Task, "a", namespace=world.namespace)
        with pytest.raises(NotFound):
            await client.get(Task, "a", namespace=world.namespace)

    async def test_finalizers_hold_an_object_until_they_are_gone(self, world: World) -> None:
        client = world.client("alice")
        await client.create(task(world, "a", finalizers=("plum.dev/one", "plum.dev/two")))
        await client.delete(Task, "a", namespace=world.namespace)
        held = await client.get(Task, "a", namespace=world.namespace)
        assert held.metadata.deletion_timestamp
        assert held.metadata.generation == 2
        await client.delete(Task, "a", namespace=world.namespace)
        assert await client.get(Task, "a", namespace=world.namespace) == held
        with pytest.raises(Invalid, match="no new finalizers"):
            await self.set_finalizers(world, ["plum.dev/one", "plum.dev/two", "plum.dev/three"])
        await self.set_finalizers(world, ["plum.dev/two"])
        left = await client.get(Task, "a", namespace=world.namespace)
        assert left.metadata.finalizers == ("plum.dev/two",)
        await self.set_finalizers(world, None)
        with pytest.raises(NotFound):
            await client.get(Task, "a", namespace=world.namespace)

    async def set_finalizers(self, world: World, finalizers: list[str] | None) -> None:
        patch: Body = {"metadata": {"finalizers": finalizers}}
        await world.client("alice").patch(Task, "a", patch, namespace=world.namespace)

    async def test_foreground_deletion_waits_for_the_collector(self, world: World) -> None:
        client = world.client("alice")
        await client.create(task(world, "a"))
        await client.delete(Task, "a", namespace=world.namespace, propagation="Foreground")
        held = await client.get(Task, "a", namespace=world.namespace)
        assert held.metadata.finalizers == ("foregroundDeletion",)

    async def test_deletion_of_another_uid_conflicts(self, world: World) -> None:
        client = world.client("alice")
        created = await client.create(task(world, "a"))
        with pytest.raises(Conflict, match="UID"):
            await client.delete(Task, "a", namespace=world.namespace, uid="another")
        changed = await client.patch(Task, "a", {"metadata": {"labels": {"a": "b"}}}, namespace=world.namespace)
        uid, before = created.metadata.uid or "", created.metadata.resource_version or ""
        with pytest.raises(Conflict, match="ResourceVersion"):
            await client.delete(Task, "a", namespace=world.namespace, uid=uid, version=before)
        now = changed.metadata.resource_version or ""
        await client.delete(Task, "a", namespace=world.namespace, uid=uid, version=now)

    async def test_fenced_writes_count_while_their_leadership_lasts(self, world: World) -> None:
        admin = world.client("admin")
        fence = f"{world.namespace}/leader/3"
        client = world.fenced("alice", lambda: fence)
        writes = fenced_writes(client, world)
        with pytest.raises(Conflict, match=r"^superseded: .* which does not exist"):
            await client.create(task(world, "a"))
        spec = LeaseSpec(holder_identity="alice", lease_transitions=3)
        await admin.create(Lease(metadata=ObjectMeta(name="leader", namespace=world.namespace), spec=spec))
        for write in writes:
            await write()
        await admin.create(task(world, "b"))
        for change, why in (
            ({"holderIdentity": None}, "has no holder"),
            ({"holderIdentity": "bob", "leaseTransitions": 4}, "carries token 3 .* is held under token 4"),
        ):
            before = (await admin.patch(Lease, "leader", {"spec": change}, namespace=world.namespace)).metadata
            for write in writes:
                with pytest.raises(Conflict, match=f"^superseded: .*{why}"):
                    await write()
            assert (await client.list(Task, namespace=world.namespace)).resource_version == before.resource_version
        fence = f"{world.namespace}/leader/4"
        await client.delete(Task, "b", namespace=world.namespace)
        for bad in ("", "leader", f"{world.namespace}/leader/x", f"{world.namespace}/leader/4/5"):
            fence = bad
            with pytest.raises(BadRequest, match="Plum-Fence"):
                await client.create(task(world, "c"))
        assert await names(client, world) == []

    async def test_the_token_of_a_lease_never_goes_down(self, world: World) -> None:
        client = world.client("alice")
        spec = LeaseSpec(holder_identity="alice", lease_transitions=3)
        await client.create(Lease(metadata=ObjectMeta(name="leader", namespace=world.namespace), spec=spec))
        for token in (2, None):
            with pytest.raises(Invalid, match=r"spec\.leaseTransitions: .* may not go down; it is 3"):
                await client.patch(Lease, "leader", {"spec": {"leaseTransitions": token}}, namespace=world.namespace)
