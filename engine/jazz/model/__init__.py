"""The networks, what they read and write, and their weights file."""
