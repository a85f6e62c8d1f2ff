"""What a server owns: its human clips and its own styles, as the engine reads and makes them."""
