"""Plugins of every test run, whichever files it is given."""

pytest_plugins = ["tests.key_scan", "tests.snippets"]
