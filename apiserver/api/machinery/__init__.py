"""What the generic verbs do to an object, as pure functions over wire objects (``Body``).

- ``documents``, ``yaml_documents``  bytes to objects: duplicate keys found, bounded against bombs
- ``decode``     unknown fields found and pruned, the kind's model validated, the canonical form made
- ``patches``    RFC 7386 merge patch and RFC 6902 JSON patch
- ``strategic``  strategic merge patch, for the kinds that kubectl knows by itself
- ``fieldsets``  sets of field paths and their ``FieldsV1`` form
- ``differences``  what a change changed, as paths with values
- ``merging``    objects laid over one another, and taken apart again by paths
- ``managers``   who owns which fields: managedFields read, checked and written
- ``conflicts``  what an apply is told that would take values from others
- ``last_applied``  the annotation of client-side apply
- ``apply``      server-side apply and the book-keeping of field managers
- ``writes``     the one pipeline: default, prepare (server-owned fields), validate
- ``scale``      one count of an object, read and written as a Scale
- ``fencing``    writes that count only while their maker leads

The server's registry and the in-memory client both run on these, so they cannot drift apart.
"""
