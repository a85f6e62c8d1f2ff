"""What lessons keep: class quizzes, practice, questions of a day and of the staff."""
