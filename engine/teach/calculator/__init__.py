"""Answers that are computed: shapes, parameters and small tensors, from code or from words.

Nothing of the question is ever run."""
