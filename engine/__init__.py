"""The engine: the process that computes. It knows nothing of Discord."""

BEFORE_TORCH = {
    # OpenMP's threads spin while they wait for each other. Where another program wants the cores, too, they burn the
    # time of the thread they wait for: a clip took over a minute instead of seven seconds. Asleep they cost an idle
    # machine nothing that shows.
    "OMP_WAIT_POLICY": "PASSIVE",
    # Maps of a large picture are blocks of 32 MiB and more, which glibc takes from the system each time anew. In pages
    # of 4 KiB that took longer than most of what is computed in them; with this torch asks for pages of 2 MiB.
    "THP_MEM_ALLOC_ENABLE": "1",
}
"""Variables of the environment that are read once, when torch is loaded (docs/performance.md has the figures)."""
