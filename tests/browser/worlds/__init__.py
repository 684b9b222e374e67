"""Clusters to look at, each made through the API.

- ``door``: what fills them writes with.
- ``apps``: apps that really run: a shop, a pipeline, and those that fail.
- ``small``, ``faults``: tasks for a cluster with agents.
- ``large``: 300 tasks on 40 nodes, written as agents and controllers would, without a process. ``wanted`` draws it,
  ``names`` has its words, ``mishaps`` what goes wrong there, ``discovery`` its services, ``stories`` its events,
  ``usage`` what its nodes report; ``bodies`` and ``mass`` are how it is written, and ``ageing`` gives it a past.
- ``storm``: thousands of assignments and many changes a second.

``python -m tests.browser.worlds`` makes one by hand.
"""
