"""Clusters to look at, each made through the API alone.

- ``door``: what fills them writes with.
- ``apps``: apps that really run: a shop, a pipeline, and those that fail.
- ``small``, ``faults``: tasks for a cluster with agents.
- ``large``: 300 tasks on 40 nodes, written as agents and controllers would, without a process. ``fleet`` draws it,
  ``names`` has its words, ``mishaps`` what goes wrong there, ``usage`` what its nodes report.
- ``storm``: thousands of assignments and many changes a second.

``python -m tests.browser.worlds`` makes one by hand.
"""
