"""What the trainings of all rooms share."""
