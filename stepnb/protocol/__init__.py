"""The wire: events, their codec, session configuration and the catalogue. No I/O, no threads, no clocks."""
