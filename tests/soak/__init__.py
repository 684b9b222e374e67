"""The store under faults: kill -9, full disks, flushes that fail, and long runs. ``agents``: agents under kill -9.

Writers know what was acknowledged, watchers keep what they were told, and the end of every run compares both with
the log of all changes, as one watcher without selector was told it.
"""
