"""The process behind the port.

- ``store/``       what is stored: the engine interface, SQLite, the committer, the watch cache
- ``registry``     the generic verbs over every kind: decode, default, prepare, validate, persist
- ``transaction``  several verbs in one commit
- ``strategies``   the few hooks of single kinds, as data
- ``history``      looking back: memory first, then the log
- ``leases``       node leases, renewed in memory; ``endpoint_leases``: those of registered endpoints
- ``endpoint_health``  whether endpoints are healthy, written with what turns it
- ``channels``     requests to agents, which nothing dials, and their answers
- ``usage``        what instances and nodes use, as agents said last; never stored
- ``uids``         identities in the order of creation
- ``blobs``        artifact files by digest; ``unused_blobs``: when they go
- ``uploads``      whether a file is an app, and which
- ``backup``       archives of everything, made while the server works
- ``restore``      a data directory out of such an archive; a program of its own
- ``http/``        the Kubernetes HTTP surface
- ``v1/``          the API of the original Plum, as views over the objects
- ``options``      what the command line may say; ``original``: names of the original Plum in the environment
- ``tls``          certificates on the port; ``replaced_files``: read again when they are replaced
- ``listening``    the socket, and uvicorn on it
- ``serve``        settings, wiring, start and end
"""
