"""Intake: what members send is read in processes of its own, which may do nothing but compute.

A decoder is the one place where a stranger's bytes meet a million lines of C. So none of them runs in the engine: a
small pool of warm child processes without torch reads pictures, films, sound and MIDI, each under limits on memory and
processor time, without files and without sockets (`sandbox`). Results come back as plain arrays in shared memory and a
small JSON message (`messages`); a child that dies, hangs or grows is replaced, and its member reads one sentence.
"""
