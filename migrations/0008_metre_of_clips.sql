-- Beats per bar of a clip.
--
-- A waltz beside a clip in 4/4 gives the sides of a poll away, so the model is asked for the human clip's metre. What the
-- model played so far was in 4/4, and so are the pieces that come with the engine; of MIDI files stored before, nobody
-- knows any more, and a recording has no bars.

ALTER TABLE clips ADD COLUMN beats_per_bar INTEGER NOT NULL DEFAULT 0 CHECK (beats_per_bar IN (0, 3, 4));
UPDATE clips SET beats_per_bar = 4 WHERE kind IN ('model', 'piece');
