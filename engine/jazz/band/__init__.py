"""The rhythm section: bass, comping and drums under a soloist, and how the piece ends."""
