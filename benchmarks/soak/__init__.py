"""A class at work while something breaks every few seconds: `make soak`."""
