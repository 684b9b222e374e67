"""The node agent: watch own assignments, plan purely, run processes.

Decisions, pure:

- ``sync``             what to do next about each assignment: ``plan``
- ``instances``        what is known of one instance, and how that changes
- ``restarts``         when an ended process starts again
- ``offers``           which services a running process offers; reads ``meta.ini``
- ``status``           what the assignment's status should say

Hands, thin:

- ``reconciler``       one look at one assignment: gathers, plans, has it done
- ``performer``        the actions of a plan: quick ones at once, slow work beside it
- ``ledger``           the instances as they are now, their records on disk
- ``preparations``     an instance's folder, ready to start in
- ``artifacts``        archives: downloaded once a digest, verified, cached
- ``unpack``           an archive into a folder, however hostile it is
- ``ports``, ``environment``  what a process is given
- ``folders``          the data folder: its lock, its layout, the records of instances
- ``reports``          statuses, finalizers and events on their way to the server
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
