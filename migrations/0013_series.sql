-- Series: several trials with one plan, one deadline and one reveal; and the general votes, which are series of one.
--
-- A listening series is made completely before anything is posted: every clip, every coin, and the salt of the seal are
-- written here first and never change. What is posted in public is SHA-256(answers, salt); the reveal publishes both.
-- A trial takes ballots from the moment it is shown until its series closes. A poll of before is a series of one single
-- trial; it keeps its number, and so do its buttons. It was never sealed.

CREATE TABLE series (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    kind               TEXT NOT NULL CHECK (kind IN ('listening', 'question')),
    pace               TEXT NOT NULL CHECK (pace IN ('live', 'days')),  -- live: trial after trial, as staff say
    title              TEXT NOT NULL,
    guild_id           INTEGER NOT NULL,
    channel_id         INTEGER NOT NULL,      -- where the opening message stands, and the result comes
    thread_id          INTEGER,               -- where the trials stand; NULL: in the channel
    started_by         INTEGER NOT NULL REFERENCES members (id),
    draw_seed          INTEGER NOT NULL,
    recordings         INTEGER NOT NULL DEFAULT 0 CHECK (recordings IN (0, 1)),  -- 1: of recordings only; in no statistics
    matched            INTEGER NOT NULL DEFAULT 1 CHECK (matched IN (0, 1)),  -- 1: both sides under the same conditions
    salt               TEXT NOT NULL,         -- 32 random bytes, hexadecimal; '' where nothing is sealed
    seal               TEXT NOT NULL,         -- SHA-256 of the sealed text, hexadecimal
    plan               TEXT NOT NULL CHECK (json_valid(plan)),
    prepared_at        REAL NOT NULL,         -- seconds since 1970, UTC
    closes_at          REAL,                  -- NULL: when staff say so
    opening_message_id INTEGER,
    posting_at         REAL,                  -- when the opening was last tried: it may stand there without our knowing
    closed_at          REAL,
    voided             INTEGER NOT NULL DEFAULT 0 CHECK (voided IN (0, 1)),  -- 1: called off; counts nowhere
    reminded           INTEGER NOT NULL DEFAULT 0,   -- how many of the reminders have gone out
    announcing_at      REAL,                  -- when the result was first tried
    announced_at       REAL,
    result_message_id  INTEGER,               -- NULL with announced_at: it could not be told
    CHECK (closes_at IS NULL OR closes_at > prepared_at),
    CHECK (announced_at IS NULL OR closed_at IS NOT NULL),
    CHECK (voided = 0 OR closed_at IS NOT NULL),
    CHECK ((salt = '') = (seal = ''))
) STRICT;

CREATE UNIQUE INDEX one_open_series_per_channel ON series (channel_id) WHERE closed_at IS NULL AND kind = 'listening';
CREATE INDEX series_by_guild ON series (guild_id, id);

CREATE TABLE trials (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    series       INTEGER NOT NULL REFERENCES series (id),
    number       INTEGER NOT NULL CHECK (number >= 1),
    design       TEXT NOT NULL CHECK (design IN ('pair', 'single', 'question')),
    is_catch     INTEGER NOT NULL DEFAULT 0 CHECK (is_catch IN (0, 1)),  -- one side is a solo with shuffled pitches
    human_clip   INTEGER REFERENCES clips (id),
    ai_clip      INTEGER REFERENCES clips (id),
    answer       TEXT NOT NULL,               -- pair: the human's side; '' for a question
    band_seed    INTEGER NOT NULL,            -- of the band behind both sides
    question     TEXT NOT NULL DEFAULT '',
    options      TEXT NOT NULL DEFAULT '[]' CHECK (json_type(options) = 'array'),
    most_choices INTEGER NOT NULL DEFAULT 1 CHECK (most_choices >= 1),
    is_open      INTEGER NOT NULL DEFAULT 0 CHECK (is_open IN (0, 1)),  -- of a question: names are shown with the result
    quorum       INTEGER NOT NULL DEFAULT 0,  -- of a question: fewer voters decide nothing
    human_sound  BLOB,                        -- OGG, as rendered for this trial; NULL once the result is told
    message_id   INTEGER,
    shown_at     REAL,                        -- from then on it takes ballots
    UNIQUE (series, number),
    CHECK ((design = 'question') = (human_clip IS NULL)),
    CHECK ((design = 'question') = (ai_clip IS NULL)),
    CHECK ((design = 'pair' AND answer IN ('A', 'B')) OR (design = 'single' AND answer IN ('human', 'ai'))
           OR (design = 'question' AND answer = ''))
) STRICT;

CREATE INDEX trials_by_human_clip ON trials (human_clip);
CREATE INDEX trials_by_ai_clip ON trials (ai_clip);

CREATE TABLE ballots (
    trial      INTEGER NOT NULL REFERENCES trials (id),
    member     INTEGER NOT NULL REFERENCES members (id),
    choice     TEXT,                          -- A, B, human, ai; of a question the places of options, '0,3'; NULL: none yet
    confidence INTEGER CHECK (confidence BETWEEN 50 AND 100),  -- in percent; NULL: not said
    knows      INTEGER NOT NULL DEFAULT 0 CHECK (knows IN (0, 1)),  -- 1: knows the piece; left out of the statistics
    reasons    TEXT NOT NULL DEFAULT '',      -- tags, separated by commas
    voted_at   REAL NOT NULL,                 -- of the last change, seconds since 1970, UTC
    simulated  INTEGER NOT NULL DEFAULT 0 CHECK (simulated IN (0, 1)),  -- 1: of a made-up class; counts nowhere
    PRIMARY KEY (trial, member)
) STRICT, WITHOUT ROWID;

CREATE INDEX ballots_of_member ON ballots (member);

-- What listeners have said of themselves, all of it optional, apart from their ballots and deletable by itself.
CREATE TABLE listeners (
    member      INTEGER PRIMARY KEY REFERENCES members (id),
    instrument  TEXT NOT NULL DEFAULT '',
    years       INTEGER CHECK (years BETWEEN 0 AND 80),
    hearing_aid INTEGER CHECK (hearing_aid IN (0, 1)),
    said_at     REAL NOT NULL
) STRICT;

-- Who has chosen to be shown on a server's board of best ears.
CREATE TABLE ears (
    guild_id  INTEGER NOT NULL,
    member    INTEGER NOT NULL REFERENCES members (id),
    joined_at REAL NOT NULL,
    PRIMARY KEY (guild_id, member)
) STRICT, WITHOUT ROWID;

-- Human clips are kept as scores, so that they are rendered for a series as the model's clips are. A clip stored before
-- has only its sound: it isn't drawn any more until somebody hands the file in again.
ALTER TABLE clips ADD COLUMN score BLOB;                          -- the MIDI file; NULL: a piece, a recording, or removed
ALTER TABLE clips ADD COLUMN melody_track INTEGER NOT NULL DEFAULT -1;
ALTER TABLE clips ADD COLUMN piece_id TEXT NOT NULL DEFAULT '';   -- of a piece that comes with the engine

INSERT INTO series (id, kind, pace, title, guild_id, channel_id, started_by, draw_seed, recordings, salt, seal, plan,
                    prepared_at, closes_at, opening_message_id, closed_at, voided, announced_at, result_message_id)
SELECT id, 'listening', 'days', '', guild_id, channel_id, started_by, draw_seed,
       (SELECT kind = 'audio' FROM clips WHERE clips.id = human_clip), '', '', '{}',
       drawn_at, closes_at, message_id, closed_at, voided, announced_at, result_message_id
FROM polls;
INSERT INTO trials (id, series, number, design, human_clip, ai_clip, answer, band_seed, message_id, shown_at)
SELECT id, id, 1, 'single', human_clip, ai_clip, answer, 0, message_id, drawn_at FROM polls;
INSERT INTO ballots (trial, member, choice, knows, voted_at) SELECT poll, member, choice, knows, voted_at FROM votes;
DROP TABLE votes;
DROP TABLE polls;

CREATE TRIGGER the_draw_is_final
BEFORE UPDATE OF series, number, design, is_catch, human_clip, ai_clip, answer, question, options ON trials
BEGIN
    SELECT RAISE(ABORT, 'the draw is final');
END;

CREATE TRIGGER the_seal_is_final BEFORE UPDATE OF salt, seal, draw_seed, plan ON series
BEGIN
    SELECT RAISE(ABORT, 'the draw is final');
END;

CREATE TRIGGER a_closed_series_stays_closed BEFORE UPDATE OF closed_at, closes_at, voided ON series
WHEN OLD.closed_at IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'the series is closed');
END;

CREATE TRIGGER no_ballot_after_the_close BEFORE INSERT ON ballots
WHEN EXISTS (SELECT 1 FROM trials JOIN series ON series.id = trials.series WHERE trials.id = NEW.trial
             AND (closed_at IS NOT NULL OR NEW.voted_at >= closes_at))
BEGIN
    SELECT RAISE(ABORT, 'the series is closed');
END;

CREATE TRIGGER no_change_after_the_close BEFORE UPDATE OF choice, confidence, knows, reasons ON ballots
WHEN EXISTS (SELECT 1 FROM trials JOIN series ON series.id = trials.series WHERE trials.id = NEW.trial
             AND (closed_at IS NOT NULL OR NEW.voted_at >= closes_at))
BEGIN
    SELECT RAISE(ABORT, 'the series is closed');
END;

CREATE TRIGGER no_ballot_is_lost_after_the_close BEFORE DELETE ON ballots
WHEN EXISTS (SELECT 1 FROM trials JOIN series ON series.id = trials.series WHERE trials.id = OLD.trial
             AND closed_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'the series is closed');
END;
