-- A human clip can be removed while a series is open. The trial that would have played it, and hasn't stood yet, is
-- skipped; one that stands takes no more votes: without its sound they'd be guesses.
--
-- And of the model's clip it's now kept how many takes its critic chose from: the reveal names it.

ALTER TABLE trials ADD COLUMN withdrawn_at REAL;   -- when the sound was deleted; NULL: it is there, or the series had closed

ALTER TABLE clips ADD COLUMN takes INTEGER NOT NULL DEFAULT 0;   -- 0: nobody knows, or a human clip
