"""Improvised solos as training reads them, from the files of several corpora."""
