"""The published contract: what objects look like and what may be done to them. Pure: no I/O, no clock.

Read in this order:

- ``meta``        the base of every object: metadata, owner references, conditions' shape
- ``schema``      one tree a kind, read off its pydantic model; unknown fields, apply and ``explain`` walk it;
  ``docstrings``: what is written below the fields
- ``scheme``      the register of kinds: plural, scope, columns, selectable fields
- ``kinds/``      one module a kind; adding a kind means adding a file there
- ``views/``      what is served but not stored: pods, their metrics, self reviews
- ``selectors``   label and field selectors, the full grammar
- ``errors``      one exception a Status reason
- ``conditions``  reading and setting conditions
- ``backups``     the archive of a backup, written and checked
- ``expansion``   ``expand``: which assignments a task needs
- ``discovery``   when an endpoint is healthy, and what it is called
- ``names``       names of objects for what people call by any text
- ``quantities``  ``500m``, ``64Mi``
- ``channel``     what goes over a node's channel: requests such as for logs
- ``usage``       what instances and nodes use: the figures that agents report
- ``reports``     the statuses that an agent reports together
- ``package``     what ``meta.ini`` says; ``archives``: what an app's zip may hold
- ``rollback``    which revision of a task to go back to, and the spec that makes
- ``machinery/``  what the generic verbs do to an object, as pure functions: decode, patch, apply, prepare
"""
