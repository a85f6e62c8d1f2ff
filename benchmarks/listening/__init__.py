"""Measurements of the listening experiment."""
