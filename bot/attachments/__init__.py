"""Files that members send: fetched from Discord alone, and held on disk while a job waits."""
