"""The node agent: watch own assignments, plan purely, run processes."""
