-- Whether anybody played a human clip.
--
-- A piece out of a corpus, and a MIDI file that lies on the grid, hold notes and no performance: the soloist's rendition
-- network performs them. A poll on such a clip asks who chose the notes, and its result has to say so. Of MIDI files
-- stored before, nobody knows any more; pieces are always notated.

ALTER TABLE clips ADD COLUMN notated INTEGER NOT NULL DEFAULT 0 CHECK (notated IN (0, 1));
UPDATE clips SET notated = 1 WHERE kind = 'piece';
