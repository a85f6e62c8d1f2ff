"""How two pictures are compared: networks that look at them, and distances of what these see."""
