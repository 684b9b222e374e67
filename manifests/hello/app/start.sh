#!/bin/sh
# The port is the agent's to choose; exec makes the server the main process, the one whose end counts.
exec python3 server.py
