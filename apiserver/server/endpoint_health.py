"""The health of endpoints, written in the very commit that turns it: by the rule of the endpoints controller, and in
its name."""

from typing import cast

from apiserver.api.discovery import ENDPOINTS_CONTROLLER, judge
from apiserver.api.kinds.assignment import ASSIGNMENTS, Assignment
from apiserver.api.kinds.endpoint import ENDPOINTS, Endpoint
from apiserver.api.meta import Body
from apiserver.api.selectors import equal
from apiserver.server.store.snapshot import Filter
from apiserver.server.transaction import Transaction


def tell_of(txn: Transaction, namespace: str, instance: str) -> None:
    """Say of all endpoints of an instance whether they are healthy now that it has changed in this transaction. What
    has expired stays so until it is heard of."""
    for slot in list(txn.select(Filter(ENDPOINTS, namespace, fields=equal("spec.assignment", instance)))):
        body = slot.parse()
        if (body.get("status") or {}).get("reason") != "Expired":
            tell(txn, body, expired=False, last_seen="")


def tell(txn: Transaction, body: Body, *, expired: bool, last_seen: str) -> Body:
    """Say of an endpoint whether it is healthy now; nothing is written where that stands already. ``last_seen`` is
    told where it is known."""
    endpoint = Endpoint.from_body(body)
    namespace, _ = endpoint.key
    found = txn.get(ASSIGNMENTS, namespace, endpoint.spec.assignment) if endpoint.spec.assignment else None
    instance = Assignment.from_body(found) if found is not None else None
    healthy, reason = judge(endpoint, instance, expired=expired)
    if (endpoint.status.healthy, endpoint.status.reason) == (healthy, reason):
        return body
    status = cast(Body, body.get("status") or {}) | {"healthy": healthy, "reason": reason}
    status |= {"lastSeen": last_seen} if last_seen else {}
    return txn.update(ENDPOINTS, body, dict(body, status=status), ENDPOINTS_CONTROLLER, subresource="status")
