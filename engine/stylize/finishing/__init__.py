"""What is done to a painting as a whole, after the network: stains come off, and its colours become the style's."""
