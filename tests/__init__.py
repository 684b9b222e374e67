"""Unit, property, conformance, integration and end-to-end tests."""
