"""Clips played or written by people: MIDI files, recordings, and pieces that come with music21."""
