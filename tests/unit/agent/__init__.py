"""Tests of the agent's rooms."""
