#!/bin/sh
# The store; the task gives the other program a command of its own.
exec python3 store.py
