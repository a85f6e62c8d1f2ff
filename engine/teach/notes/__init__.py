"""The course's own notes: files that staff hand in, cut into passages that `/ask` can quote."""
