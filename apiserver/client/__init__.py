"""How programs talk to the API server. No server code is imported here.

- ``interface``   what a client can do: the protocol that all programs are written against
- ``config``      where the server is; ``kubeconfig`` finds it in files and ``PLUM_SERVER``
- ``kubeconfig_files``  those files as documents: found, read, changed
- ``replacing``   files replaced at once and durably
- ``trust``       whose certificates are believed, and which is shown
- ``credentials`` who asks: tokens and certificates in files that are replaced
- ``rest``        the real client, over HTTP
- ``answers``     what the server answered, decoded or raised
- ``frames``      the lines of a watch
- ``testing``     the in-memory client; it passes the same conformance suite as the real one
- ``informer``    list, then watch, into an indexed local cache
- ``cache``       that cache
- ``workqueue``   keys to reconcile: deduplicating, delayed, rate-limited
- ``backoff``     how long to wait before the next try
- ``controller``  the loop that every reconciler runs in
- ``observers``   who hears how the work goes
- ``leader``      leader election by a Lease; ``election`` decides
- ``events``      the recorder of Events
"""
