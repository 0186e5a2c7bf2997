"""The event log: every fact once, in order. Everything else is derived from it."""
