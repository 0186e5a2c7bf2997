"""From the log to items, turns and changes: pure, shared by live sessions, replays and tests."""
