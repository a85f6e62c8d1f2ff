"""What musicians know: chords, harmony, forms, spelling, instruments, feels, and the score that the rooms share."""
