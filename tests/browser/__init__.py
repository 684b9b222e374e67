"""The web UI in a real browser, and the worlds that it is looked at with.

``worlds`` makes clusters to look at: a small one that runs, one with faults, a large one, and a storm.
"""
