"""The control loops: each a pure plan beside its thin reconciler, meeting only in the objects.

- ``manager``        one informer a kind and every loop on top, while it leads; ``__main__`` is the program
- ``task``           tasks to assignments; ``task_plan`` decides, ``rollout`` for one entry, ``task_status``
                     tells how they are, ``dependencies`` which copies must wait for others,
                     ``spent`` which attempts have been
                     (names, slots and templates are ``apiserver.api.expansion``)
- ``scheduler``      gives assignments without a home a node; ``scheduling`` decides
- ``nodelifecycle``  leases to readiness, and the last word for agents that are gone; ``node_plan`` decides
- ``endpoints``      endpoints of what instances offer, and the health of all; ``endpoints_plan`` decides
- ``services``       a Service for every name that endpoints mention; ``services_plan`` decides
- ``garbage``        owner references and deletion policies; ``garbage_plan`` decides
- ``namespaces``     empties namespaces under deletion; ``namespace_plan`` decides
- ``event_expiry``   old Events go
- ``metrics``        what Prometheus scrapes
- ``labels``         changing labels beside those of others; ``witness``: how long something has been seen so
- ``writing``        many writes at a time, but not too many
"""
