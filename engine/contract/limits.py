"""What soloist and band can play at most: settings, slash options and the engine's checks share these numbers."""

MIB = 1024 * 1024
"""Bytes."""
MIN_BARS = 2
MAX_BARS = 128
"""What a server allows is `[jazz] max_bars`, at most this."""
MAX_TAKES = 32
"""Lines tried every eight bars; how many they are when nobody asks is `[jazz] takes`."""
METRES = {"4/4": 4, "3/4": 3}
"""Beats per bar of what the band plays."""
MIN_TEMPO_BPM, MAX_TEMPO_BPM = 40.0, 320.0
SHORTEST_COPIED_RUN = 6
"""Notes: shorter runs are everybody's, and a clip that shares none of this length counts as sharing 0."""
LARGEST_SEED = 2**53 - 1
"""Discord's numbers are JavaScript's: up to here every seed that is drawn can be typed in again."""
