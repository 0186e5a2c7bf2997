"""stepnb: realtime voice in Jupyter."""
