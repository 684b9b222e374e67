"""Tests of the pure rules of writes."""
