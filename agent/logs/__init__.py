"""What instances write, on the node: kept within bounds, and read.

In the rotator, a process of its own, of which nothing here may load more than the standard library:

- ``segments``   which part of a run's log is in which file
- ``punching``   giving back the disk space of what has been copied
- ``cutting``    one step of rotation: copy, rename, punch; ``stopping``: the same where nothing can be punched
- ``times``      when lines were written
- ``runs``       the folders of instances and their runs, and whether a run is over
- ``retention``  what goes, oldest first
- ``tending``    one run, one instance, looked at again and again
- ``rotator``    the program; ``keeper``: the agent's hand on it

In the agent:

- ``query``      what a reader asks for
- ``reading``    bytes of a run by their offset, wherever they are by now
- ``lines``      bytes to lines, lines to what goes over the wire
- ``starts``     where reading begins: tail, since
- ``streams``    one instance's log from there on, over rotations and runs
"""
