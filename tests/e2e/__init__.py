"""Tests with everything real: programs, processes, sockets, disk, kubectl."""
