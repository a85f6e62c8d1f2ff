-- Clips for the blind polls, with where they come from.
--
-- Whether a clip is human is written here and in polls.answer, and must not be readable anywhere else.
-- Removing a clip deletes its sound (whoever played it may take the consent back) but keeps the row, so that past
-- polls still say what they were about; adding the same file again fills the row anew.

CREATE TABLE clips (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id       INTEGER NOT NULL,
    origin         TEXT NOT NULL CHECK (origin IN ('human', 'ai')),
    kind           TEXT NOT NULL CHECK (kind IN ('midi', 'audio', 'piece', 'model')),
    source_digest  TEXT NOT NULL,     -- SHA-256 of the uploaded file, of the piece's name, or of the model's audio
    title          TEXT NOT NULL,
    performer      TEXT NOT NULL,     -- who played it; for a piece its composer; for a model its name and version
    year           TEXT NOT NULL,     -- '' if unknown
    source         TEXT NOT NULL,     -- where a piece comes from; '' for an upload
    added_by       INTEGER REFERENCES members (id),  -- NULL: the bot itself
    consent_at     REAL,              -- when staff confirmed that the performer agrees
    added_at       REAL NOT NULL,     -- seconds since 1970, UTC
    removed_at     REAL,
    audio          BLOB,              -- OGG; NULL once removed
    chords         TEXT NOT NULL,
    bars           INTEGER NOT NULL,
    tempo_bpm      REAL NOT NULL,
    instrument     TEXT NOT NULL,
    feel           TEXT NOT NULL,     -- swing, bossa ...; '' if unknown
    seed           INTEGER NOT NULL,  -- of the model, or of the band behind a human solo
    model_version  TEXT NOT NULL,     -- '' for a human clip
    soundfont      TEXT NOT NULL,     -- '' for an audio upload
    duration_s     REAL NOT NULL,
    loudness_lufs  REAL NOT NULL,
    true_peak_dbtp REAL NOT NULL,
    CHECK ((origin = 'ai') = (kind = 'model')),
    CHECK (kind NOT IN ('midi', 'audio') OR consent_at IS NOT NULL),
    CHECK ((audio IS NULL) = (removed_at IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX one_clip_per_source ON clips (guild_id, source_digest) WHERE origin = 'human';
