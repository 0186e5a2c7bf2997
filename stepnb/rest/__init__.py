"""Files, cloning, speech and vector stores: what the service offers over HTTP beside the Realtime API."""
