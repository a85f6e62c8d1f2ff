"""Broken and forged files, and what came of reading them."""
