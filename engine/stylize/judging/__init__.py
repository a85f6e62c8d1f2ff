"""Figures of the style network that it didn't train for."""
