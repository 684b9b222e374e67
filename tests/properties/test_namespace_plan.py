"""Emptying a namespace in which finalizers hold what they like, by a controller that may be killed at any step."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from apiserver.api.scheme import SCHEME
from controllers.namespace_plan import FIRST, LAST, Remains, stages, to_delete

STAGES = stages([*SCHEME])
KINDS = [kind for stage in STAGES for kind in stage]
pick = st.integers(0, 1000)


class Emptying(RuleBasedStateMachine):
    """What lives in one namespace, by uid. Nothing comes in once its deletion has begun."""

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, Remains] = {}
        self.is_leaving = self.is_gone = False
        self.count = 0

    @rule(kind=pick, held=st.booleans(), owner=pick)
    def create(self, kind: int, held: bool, owner: int) -> None:
        if not self.is_leaving:
            self.count += 1
            uid = f"u{self.count}"
            finalizers = ("test/hold",) if held else ()
            self.objects[uid] = Remains(KINDS[kind % len(KINDS)], uid, uid, is_leaving=False, finalizers=finalizers)

    @rule(index=pick)
    def delete_one(self, index: int) -> None:
        """People and the garbage collector delete too."""
        if self.objects:
            self.ask([*self.objects][index % len(self.objects)])

    @rule(index=pick)
    def let_go(self, index: int) -> None:
        held = [uid for uid, one in self.objects.items() if one.finalizers]
        if held:
            self.free(held[index % len(held)])

    @rule()
    def delete_namespace(self) -> None:
        self.is_leaving = True

    @rule(cut=st.integers(0, 3))
    def step(self, cut: int) -> None:
        """One step of the controller, which is killed after some of its writes."""
        if not self.is_leaving or self.is_gone:
            return
        for stage in STAGES:
            remains = [one for one in self.objects.values() if one.kind in stage]
            if remains:
                for one in to_delete(remains)[:cut]:
                    self.check_order(one)
                    self.ask(one.uid)
                return
        assert not self.objects, "a namespace goes when it is empty"
        self.is_gone = True

    @invariant()
    def stays_while_it_holds_something(self) -> None:
        assert not (self.is_gone and self.objects)

    def teardown(self) -> None:
        """Once everybody lets go it ends."""
        self.is_leaving = True
        for _ in range(len(self.objects) * 2 + 2):
            self.step(3)
            for uid in [uid for uid, one in self.objects.items() if one.is_leaving]:
                self.free(uid)
        assert self.is_gone

    def check_order(self, asked: Remains) -> None:
        """When the deletion of something is asked for, what has to go before is gone."""
        order = [*FIRST, "", *LAST]

        def place(one: Remains) -> int:
            return order.index(one.kind.plural if one.kind.plural in order else "")

        assert all(place(one) >= place(asked) for one in self.objects.values())

    def ask(self, uid: str) -> None:
        one = self.objects[uid] = replace(self.objects[uid], is_leaving=True)
        if not one.finalizers:
            del self.objects[uid]

    def free(self, uid: str) -> None:
        one = self.objects[uid] = replace(self.objects[uid], finalizers=())
        if one.is_leaving:
            del self.objects[uid]


TestEmptying = Emptying.TestCase
TestEmptying.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
