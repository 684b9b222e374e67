"""The collector's plan over a graph of owners in which people delete, and finalizers hold, what they like."""

from typing import Any

from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from apiserver.api.kinds.lease import Lease
from apiserver.api.meta import Resource
from controllers.garbage_plan import (
    FOREGROUND,
    ORPHAN,
    Action,
    Delete,
    Dependent,
    Disown,
    Release,
    blocks,
    plan,
    without_owner,
)

FINALIZERS: dict[str, tuple[str, ...]] = {"Background": (), "Foreground": (FOREGROUND,), "Orphan": (ORPHAN,)}
OTHER = "plum.dev/stopped"
pick = st.integers(0, 1000)


class Graph(RuleBasedStateMachine):
    """Objects by uid; owners are older than their dependents."""

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, Resource] = {}
        self.count = 0

    @rule(owners=st.lists(st.tuples(pick, st.booleans()), max_size=2), held=st.booleans())
    def create(self, owners: list[tuple[int, bool]], held: bool) -> None:
        uids = {self.any(index): block for index, block in owners} if self.objects else {}
        references = [
            {"apiVersion": "v1", "kind": "X", "name": uid, "uid": uid, "blockOwnerDeletion": block}
            for uid, block in uids.items()
        ]
        self.count += 1
        meta: dict[str, Any] = {"name": f"u{self.count}", "uid": f"u{self.count}", "namespace": "default"}
        meta |= {"ownerReferences": references, "finalizers": [OTHER] if held else []}
        body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta}
        self.objects[f"u{self.count}"] = Lease.from_body(body)

    @rule(index=pick, propagation=st.sampled_from(sorted(FINALIZERS)))
    def delete(self, index: int, propagation: str) -> None:
        assume(self.objects)
        self.begin_delete(self.any(index), FINALIZERS[propagation])

    @rule(index=pick)
    def let_go(self, index: int) -> None:
        """Whoever else held an object lets it go."""
        held = [uid for uid, obj in self.objects.items() if OTHER in obj.metadata.finalizers]
        if held:
            self.drop_finalizer(held[index % len(held)], OTHER)

    @rule(index=pick, cut=st.integers(0, 4))
    def collect(self, index: int, cut: int) -> None:
        if self.objects:
            for action in self.plan(self.any(index))[:cut]:
                self.perform(action)

    @rule()
    def converge(self) -> None:
        for _ in range(4 * len(self.objects) + 4):
            actions = [action for uid in list(self.objects) for action in self.plan(uid)]
            for action in actions:
                self.perform(action)
            held = [
                uid for uid, obj in self.objects.items() if self.is_leaving(uid) and OTHER in obj.metadata.finalizers
            ]
            for uid in held:
                self.drop_finalizer(uid, OTHER)
            if not actions and not held:
                break
        assert not [uid for uid in self.objects if self.plan(uid)]
        assert not [uid for uid in self.objects if self.is_leaving(uid)], "what is under deletion goes in the end"
        for obj in self.objects.values():
            owners = [reference.uid for reference in obj.metadata.owner_references]
            assert not owners or any(uid in self.objects for uid in owners), "no garbage is left"

    def teardown(self) -> None:
        self.converge()

    # The model of the server.

    def any(self, index: int) -> str:
        return list(self.objects)[index % len(self.objects)]

    def is_leaving(self, uid: str) -> bool:
        return self.objects[uid].metadata.deletion_timestamp is not None

    def dependents(self, uid: str) -> list[Resource]:
        return [o for o in self.objects.values() if uid in {r.uid for r in o.metadata.owner_references}]

    def plan(self, uid: str) -> list[Action]:
        if uid not in self.objects:
            return []
        obj = self.objects[uid]
        owners = [reference.uid for reference in obj.metadata.owner_references]
        gone = bool(owners) and not any(owner in self.objects for owner in owners)
        return plan(obj, [self.dependent(found, uid) for found in self.dependents(uid)], owners_gone=gone)

    def dependent(self, obj: Resource, owner: str) -> Dependent:
        others = [r.uid for r in without_owner(obj.metadata.owner_references, owner)]
        stays = any(uid in self.objects and not self.is_leaving(uid) for uid in others)
        return Dependent(obj, bool(self.dependents(obj.metadata.uid or "")), stays)

    def perform(self, action: Action) -> None:
        uid = action.obj.metadata.uid or ""
        if uid not in self.objects:
            return
        match action:
            case Delete(_, foreground):
                self.begin_delete(uid, (FOREGROUND,) if foreground else ())
            case Disown(_, owner):
                meta = self.objects[uid].metadata
                self.replace(uid, owner_references=tuple(without_owner(meta.owner_references, owner)))
            case Release(_, finalizer):
                found = self.dependents(uid)
                if finalizer == FOREGROUND:
                    assert not any(blocks(dependent, uid) for dependent in found), "a blocker is still there"
                else:
                    assert not found, "an orphan still knows its owner, and would go with it"
                self.drop_finalizer(uid, finalizer)

    def begin_delete(self, uid: str, finalizers: tuple[str, ...]) -> None:
        held = tuple(dict.fromkeys((*self.objects[uid].metadata.finalizers, *finalizers)))
        self.replace(uid, deletion_timestamp="2026-01-01T00:00:00Z", finalizers=held)
        self.remove_if_free(uid)

    def drop_finalizer(self, uid: str, name: str) -> None:
        held = tuple(other for other in self.objects[uid].metadata.finalizers if other != name)
        self.replace(uid, finalizers=held)
        self.remove_if_free(uid)

    def replace(self, uid: str, **change: Any) -> None:
        obj = self.objects[uid]
        self.objects[uid] = obj.model_copy(update={"metadata": obj.metadata.model_copy(update=change)})

    def remove_if_free(self, uid: str) -> None:
        if self.is_leaving(uid) and not self.objects[uid].metadata.finalizers:
            del self.objects[uid]


TestGraph = Graph.TestCase
TestGraph.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)
