"""Many engines behind one address: the same servicer in replicas of Ray Serve (`pip install .[cluster]`).

    bot ──gRPC──> Ray's proxy ──> front door (turns.py, one) ──> engines (replica.py, N)

The front door keeps the one queue, so that members take turns across all engines; an engine only ever has the few jobs
that it's working on. Engines come and go with the length of the queue."""
