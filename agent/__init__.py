"""The node agent: watch own assignments, plan purely, run processes.

Decisions, pure:

- ``sync``             what to do next about each assignment: ``plan``
- ``instances``        what is known of one instance, and how that changes
- ``restarts``         when an ended process starts again
- ``probes``           when to ask a process next, and what its answers mean: readiness, restarts, events
- ``offers``           which services a running process offers; reads ``meta.ini``
- ``status``           what the assignment's status should say
- ``remembered``       an assignment as it was last seen, as a record keeps it
- ``dependencies``     what a start has to wait for: entries of the task that come first

Hands, thin:

- ``reconciler``       one look at one assignment: gathers, plans, has it done
- ``siblings``         the assignments of one task on this node: who waits for whom
- ``performer``        the actions of a plan: quick ones at once, slow work beside it
- ``ledger``           the instances as they are now, their records on disk
- ``troubles``         what fails again and again: told once, tried ever later
- ``preparations``     an instance's folder, ready to start in
- ``artifacts``        archives: downloaded once a digest, verified, cached; ``artifact_failures``: why not
- ``downloads``        one download, gone on with after a break; ``sources`` opens addresses, ``partials`` keeps bytes
- ``room``             space on the disk: what goes so that there is enough
- ``threads``          blocking work, waited for to its end
- ``unpack``           an archive into a folder, however hostile it is
- ``checkups``         which instances are probed, and what becomes of what is seen; ``probing`` has a timer for each
- ``probers``          one try: ``probe_network`` over HTTP and TCP, ``probe_commands`` by a command
- ``host``, ``ports``, ``environment``  what a process is given
- ``files``            what apps may have put anything in place of, read without waiting
- ``folders``          the data folder: its lock, its layout, the records of instances
- ``packing``          reports as bytes, compressed where that is worth it
- ``telling``          what the server is told, and what follows when it cannot be
- ``reports``          statuses, finalizers and events on their way to the server; ``statuses`` sends many together
- ``logs/``            what instances write: rotated by a process of its own, and read
- ``channel``          requests of the server, which dials no node, and their answers
- ``usage/``           what instances and the node use
- ``node``             registration and the lease
- ``agent``            all of it together, from adoption to the end
- ``ending``           how an agent ends: alone, or after a drain

What holds processes, so that they outlive the agent:

- ``runtime``          what runs processes: the protocol; ``process_runtime`` fulfils it with plain processes
- ``shim``             the shell between launcher and app, which waits, tells and cleans up
- ``runs``             the files of one run, by which shim, launcher and agents agree
- ``launcher``         the small program that forks shims; ``launching`` is the agent's end of it
- ``pidfds``, ``processes``, ``cgroups``  what the system says about processes, and how they are ended
- ``testing``          a runtime without processes
"""
