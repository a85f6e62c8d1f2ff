"""A pool's workers begin afresh: nothing that another thread holds here is held there."""

from __future__ import annotations

import threading

from engine.processes import process_pool

LOCK = threading.Lock()


def is_free(_: int) -> bool:
    return LOCK.acquire(timeout=0.5)


def test_a_lock_that_a_thread_holds_here_keeps_no_worker_waiting() -> None:
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with LOCK:
            held.set()
            go_on.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(5)
        with process_pool(1) as pool:
            assert list(pool.map(is_free, [0])) == [True]
    finally:
        go_on.set()
        thread.join()
