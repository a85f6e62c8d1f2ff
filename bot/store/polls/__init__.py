"""Polls and votes: series with their trials, ballots, what listeners say of themselves, exports."""
