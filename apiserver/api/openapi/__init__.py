"""The OpenAPI 3.0 documents of the API, one a group and version, made from the register of kinds. Pure.

kubectl reads them before it explains, applies or edits; the web UI's types come from them.

- ``document``    one group's document: its kinds, their paths, and what belongs to no kind
- ``operations``  the paths of one kind
- ``below``       what there is below each object: status, the past, and what a kind declares
- ``own``         paths of ``plum.dev`` that belong to no kind
- ``parameters``  what may be asked for, by verb
- ``components``  schemas: every model once, with references to those below it
- ``generic``     models of what all kinds share beside objects: lists, statuses, options
- ``answers``     models of what ``plum.dev`` answers beside its kinds
"""
