"""What keeps a bot running for a term: lock, backups, checks, notices for staff. Hosts read `docs/hosting.md`."""
