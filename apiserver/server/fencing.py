"""Fencing at the store: a fenced decision looks at its lease in its own turn, so no takeover fits in between."""

from apiserver.api.kinds.lease import LEASES
from apiserver.api.machinery.fencing import Fence
from apiserver.server.store.decisions import Decision, Intents, View


def fenced(decide: Decision, fence: Fence | None) -> Decision:
    """The decision, refused with Conflict unless its maker leads; the decision itself where there is no fence."""
    if fence is None:
        return decide

    def guarded(view: View) -> Intents:
        fence.check(view.get(LEASES, fence.namespace, fence.name))
        return decide(view)

    return guarded
