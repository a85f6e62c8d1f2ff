"""The engine: the process that computes. It knows nothing of Discord."""
