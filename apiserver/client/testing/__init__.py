"""The in-memory client: an API server in a few dictionaries, under the same conformance suite as the real
one. For tests of programs; it has faults to inject and no durability.

It runs on the same pure pipeline as the server (``apiserver.api.machinery``). What the server does in the
background (lease expiry) and its rules between kinds (a node in use, an app's archive) are not its duty.

- ``state``   what is stored, and the history of changes
- ``client``  ``MemoryCluster``, its faults, and the verbs of ``MemoryClient``
"""

from apiserver.client.testing.client import MemoryClient, MemoryCluster

__all__ = ["MemoryClient", "MemoryCluster"]
