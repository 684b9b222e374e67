"""What is stored, and how it is seen to change.

- ``engine``       the interface: load everything, commit lists of changes atomically, keep a log of them
- ``memory``       the engine that forgets, for tests and simulation
- ``sqlite``       the engine that does not: WAL, synchronous=FULL, one connection in one thread; ``rows``: its rows,
                   ``tables``: in SQLModel, ``migrations``: from older schemas, ``directory``: held by one server
- ``snapshot``     slots (an object as bytes with what selectors see), events, and filters
- ``cache``        all objects in memory, one ``table`` a kind, and the ring of recent events
- ``watchers``     who waits for which events, indexed by field value; small buffers
- ``following``    a watch: the log, in memory or from the engine, and then what happens
- ``decisions``    what writers hand in, and what a batch of them comes to
- ``committer``    many writers, one batch at a time, acknowledged after the commit; outcomes that are found out
- ``maintenance``  forgetting old changes and giving space back; ``retention``: how much is kept
- ``store``        all of it behind one door
"""
