-- Clips that members hand in, what clips are found again by, and what was played in a trial.
--
-- A submission lies here with its file until staff have decided; then the file goes, into the collection or away, and
-- the row says what came of it. A withdrawn one keeps no name either.
-- Once a series has closed, a network can learn from its votes: for that, the notes of both sides are kept as MIDI.

CREATE TABLE submissions (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id      INTEGER NOT NULL,
    member        INTEGER NOT NULL REFERENCES members (id),
    title         TEXT NOT NULL,
    performer     TEXT NOT NULL,
    licence       TEXT NOT NULL,
    chords        TEXT NOT NULL,
    melody_track  INTEGER NOT NULL,
    kind          TEXT NOT NULL CHECK (kind IN ('midi', 'audio')),
    seed          INTEGER NOT NULL,
    source_digest TEXT NOT NULL,
    file          BLOB,               -- as it was sent; NULL once decided
    sound         BLOB,               -- OGG, as the engine plays it; NULL once decided
    played        BLOB,               -- what the engine says of it (woodshed.v1.Clip without its files); NULL once decided
    consent_at    REAL NOT NULL,      -- seconds since 1970, UTC, as all times here
    state         TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'accepted', 'declined', 'withdrawn')),
    decided_at    REAL,
    decided_by    INTEGER REFERENCES members (id),  -- NULL: the member
    reason        TEXT NOT NULL DEFAULT '',         -- staff's, for the member
    told_at       REAL,               -- when the member was told, or couldn't be
    clip          INTEGER REFERENCES clips (id),    -- of an accepted one
    CHECK ((state = 'waiting') = (decided_at IS NULL)),
    CHECK ((state = 'waiting') = (file IS NOT NULL)),
    CHECK ((file IS NULL) = (sound IS NULL) AND (file IS NULL) = (played IS NULL))
) STRICT;

CREATE INDEX submissions_by_guild ON submissions (guild_id, state);
CREATE INDEX submissions_by_member ON submissions (member);
CREATE UNIQUE INDEX one_waiting_submission_per_source ON submissions (guild_id, source_digest) WHERE state = 'waiting';

ALTER TABLE clips ADD COLUMN licence TEXT NOT NULL DEFAULT '';  -- of a clip that a member handed in
ALTER TABLE clips ADD COLUMN fingerprint BLOB;                  -- of an upload's notes or sound; NULL: stored before
ALTER TABLE trials ADD COLUMN human_midi BLOB;                  -- what both sides played; NULL: a recording, or removed
ALTER TABLE trials ADD COLUMN model_midi BLOB;
