"""The sound device of the kernel's machine, as microphone and loudspeaker of a session (extra ``device``)."""
