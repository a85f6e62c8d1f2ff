"""Answers that are computed: shapes, parameters and small tensors, from code or from words, without "
"running anything."""
