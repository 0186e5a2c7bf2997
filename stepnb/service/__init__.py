"""What everything that talks to the service shares: where it is, which key, which thread, what a refusal means."""
