"""Suites that every implementation of an interface must pass, fake and real alike."""

import pytest

pytest.register_assert_rewrite("tests.conformance.client_suite", "tests.conformance.runtime_suite")
