"""The Kubernetes HTTP surface.

- ``app``          routes, wiring, the one place where errors become Status replies
- ``gate``         what every request passes: path, limits, authentication, metrics
- ``requests``     reading a request: target, body, options, negotiation
- ``protobuf``     the few bodies that kubectl sends in protobuf
- ``resources``    the verbs over objects and collections
- ``lists``        pages of a collection, and continue tokens; ``compression``: long ones in gzip
- ``history``      an object as it was, what became of it, and its kept specs
- ``deletion``     how a deletion is meant, and that of a collection
- ``list_options`` what the query of a list or a watch may say together, and how a watch begins
- ``watch``        streaming and long-poll, one iterator behind both; ``frames``: the lines, in every form
- ``tables``       the Table form that kubectl prints; ``partials``: objects without all but their metadata
- ``showing``      stored objects as themselves, or as a view of them
- ``views/``       what is served but not stored: pods, their metrics, self reviews
- ``discovery``    what there is, plain and aggregated
- ``openapi``      the documents that kubectl explains and validates by
- ``ui``           the web UI, for browsers; ``ui_files``: what its build left; ``ui_unbuilt``: where it left nothing
- ``caching``      how long clients may keep an answer
- ``artifacts``    blobs: streamed upload, download with Range
- ``multipart``    one file out of a form, as it arrives
- ``backup``       one archive of everything, streamed
- ``channel``      the agents' channels: requests to nodes, answers posted
- ``logs``         what an instance writes, relayed from its node
- ``auth``         who asks: bearer tokens; ``peers``: client certificates
- ``metrics``      what Prometheus scrapes; ``usage_metrics``: what of it is about instances and nodes
- ``statuses``     the statuses of a node's instances, many in one request; ``reports`` reads what agents report
- ``usage``        what instances and nodes use: reported by agents, read by anybody
- ``protocol``     limits below ASGI: header size and time
"""
