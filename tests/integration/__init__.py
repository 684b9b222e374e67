"""Tests over a real server's socket."""
