"""The agent under kill -9, and its shims: whether apps live on as if nothing had happened.

- ``apps``        the apps: shell scripts that write down, each in a ledger of its own, what happens to them
- ``ledgers``     what they wrote down: the truth
- ``reports``     every status that the server was told, as one watcher saw them
- ``logfiles``    the log of a run out of its file and its rotated segments
- ``judge``       all of it compared, as counts that must be 0
- ``bystanders``  processes that got the pids of apps that are gone, and note every signal
- ``downloads``   a server of archives that come slowly
- ``cast``        all apps of a fleet, and what is asked of them
- ``kills``       what is done to the agent and to shims
- ``stage``       all of it put together
- ``moments``     what a kill waits for: a spawn, a download, an unpacking, a stop, a rotation
- ``changed``     an agent of another version
"""
