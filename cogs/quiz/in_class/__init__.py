"""/quiz class: questions for the whole class at once, with a private vote, a discussion and one reveal each."""
