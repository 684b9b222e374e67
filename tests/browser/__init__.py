"""The web UI in a real browser, and the worlds that it is looked at with.

- ``worlds`` makes clusters to look at: a small one that runs, one with faults, a large one, and a storm.
- ``chromium``, ``looks``, ``trouble``, ``conftest``: the browser, its language, theme, width, and what pages say.
- ``texts``, ``pages``: what the UI says, as its own files of texts have it, and the ways about it.
- ``inspection``: what can be seen to be wrong with a page without a person; ``measuring``: what a page costs.
- ``gallery`` (a program), ``shots``, ``sheet``: pictures of every page in every variant.
- ``story``: what somebody does with an app from its upload to its end.
"""
