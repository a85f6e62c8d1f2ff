"""The bot's memory: one SQLite file. `open_store` opens it; one module of queries per subject sits beside it."""

from bot.store.connection import Store, open_store

__all__ = ["Store", "open_store"]
