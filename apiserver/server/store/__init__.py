"""What is stored, and how it is seen to change.

- ``engine``     the interface: load everything, commit lists of changes atomically
- ``memory``     the engine that forgets, for tests and simulation
- ``sqlite``     the engine that does not: WAL, synchronous=FULL, one connection in one thread
- ``tables``     its tables, in SQLModel
- ``snapshot``   slots (an object as bytes with what selectors see) and events
- ``cache``      all objects in memory, and the ring of recent events
- ``watchers``   who waits for which events, indexed by field value; bounded buffers
- ``committer``  many writers, one batch at a time, acknowledged after the commit
- ``store``      the four together, behind one door
"""
