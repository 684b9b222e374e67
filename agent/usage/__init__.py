"""What the instances of this node use, and the node: measured every 15 s in one pass over ``/proc``, never stored.

Pure:

- ``measured``  the instances that are looked at
- ``trees``     which processes belong to an instance, and the sum of what they use
- ``counters``  sums that never go back, though processes come and go; rates between two looks

Hands:

- ``reading``   what ``/proc`` says of processes
- ``machine``   what it says of the machine
- ``looks``     one look after another, with what has to be remembered between them
- ``reports``   on their way to the server
"""
