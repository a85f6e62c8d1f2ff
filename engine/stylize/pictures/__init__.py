"""Pictures and films: read from files, written to files, and their colours."""
