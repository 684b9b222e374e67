"""The command line. One module a command; data goes to standard output, talk to standard error.

- ``cli``        the group of commands, options they share, errors as one line
- ``targets``    ``KIND NAME``, ``KIND/NAME`` on the command line
- ``raw``        requests whose answers are printed rather than read: tables, YAML
- ``moments``    points in the past on the command line; ``changes``: changes in a few words
- ``printers``   tables, YAML, JSON, names
- ``log_follow``   several logs together; ``log_streams``: one of them, over breaks; ``log_lines``: read and written
- ``manifests``  files to checked objects, all errors before anything is sent
- ``archive``    a folder to a zip that is the same every time; ``entries``: what a zip may hold
- ``holding``    what a deletion waits for, and the way out
- ``local_cluster``  the programs of ``up``; ``children``: as processes that are kept running
- ``locks``      on files, as long as their holder lives
- ``secured``    who is who in an ``up`` with TLS; ``authority``: its certificates on disk; ``certificates`` are made
- commands:      ``up``, ``push``, ``apply``, ``get``, ``describe``, ``logs``, ``top``, ``history``, ``rollout``,
                 ``state``, ``delete``, ``backup`` and ``restore``, ``about``
"""
