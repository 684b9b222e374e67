#!/bin/sh
# The port is the agent's to choose; exec makes the server the main process, so that it gets the stop signal.
exec python3 server.py
