"""The command line. One module a command; data goes to standard output, talk to standard error.

- ``cli``        the group of commands, options they share, errors as one line; ``commands``: all of them, by section
- ``targets``    ``KIND NAME``, ``KIND/NAME`` on the command line; ``selection``: with files, selectors and ``--all``
- ``flags``      flags as kubectl takes them; ``durations``: ``1m30s``
- ``raw``        requests whose answers are printed rather than read: tables, YAML
- ``following``  one object through time, over restarts of the server
- ``moments``    points in the past on the command line; ``changes``: changes in a few words
- ``printers``   tables, YAML, JSON, names; ``output``: what ``-o`` asks for
- ``jsonpath``   kubectl's paths in an object; ``jsonpath_parser``: read; ``ordering``: ``--sort-by``
- ``log_follow``   several logs together; ``log_streams``: one of them, over breaks; ``log_lines``: read and written
- ``manifests``  files to checked objects, all errors before anything is sent; ``artifact_checks``: what they run
- ``archive``    a folder to a zip that is the same every time; ``entries``: what a zip may hold
- ``holding``    what a deletion waits for, and the way out
- ``local_cluster``  the programs of ``up``; ``children``: as processes that are kept running
- ``locks``      on files, as long as their holder lives
- ``secured``    who is who in an ``up`` with TLS; ``authority``: its certificates on disk; ``certificates`` are made
- commands:      ``up``, ``push``, ``apply`` (with ``prune``), ``create`` and ``replace``, ``diff``, ``edit``,
                 ``get`` (with ``listing`` and ``get_watch``), ``describe``, ``logs``, ``top``, ``history``, ``rollout``
                 (with ``rollout_status`` and ``rollout_restart``), ``scale``, ``state``, ``label`` and annotate,
                 ``patch``, ``wait``, ``delete``, ``auth``, ``config`` (with ``config_changes``), ``backup`` and
                 ``restore``, ``about``
- their cores:   ``pairs`` of labels, ``scaling``, ``awaited`` by wait, ``rolling`` for rollouts, ``editing``
"""
