"""Clips are finished in a process of their own: half of that work would hold the interpreter's lock, and with it the
next clip's networks."""
