"""The session: the public object, its I/O thread and its connection."""
