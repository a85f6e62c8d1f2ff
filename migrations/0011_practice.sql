-- Practising alone, a question a day, the staff's own questions, and objections to a question.

-- What a member remembers of each generator and when it is due again: the memory model of FSRS, as its library writes it.
CREATE TABLE practice (
    member    INTEGER NOT NULL REFERENCES members (id),
    generator TEXT NOT NULL,
    topic     TEXT NOT NULL,
    memory    TEXT NOT NULL CHECK (json_valid(memory)),
    due_at    REAL NOT NULL,              -- seconds since 1970, UTC
    PRIMARY KEY (member, generator)
) STRICT, WITHOUT ROWID;

CREATE INDEX practice_due ON practice (member, due_at);

-- Questions that staff wrote; never run as code.
CREATE TABLE own_questions (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id    INTEGER NOT NULL,
    topic       TEXT NOT NULL,
    question    TEXT NOT NULL,
    code        TEXT NOT NULL,            -- '' if none
    options     TEXT NOT NULL CHECK (json_type(options) = 'array' AND json_array_length(options) >= 2),
    correct     INTEGER NOT NULL CHECK (correct >= 0 AND correct < json_array_length(options)),
    explanation TEXT NOT NULL,
    added_by    INTEGER NOT NULL REFERENCES members (id),
    added_at    REAL NOT NULL,
    UNIQUE (guild_id, question, code)
) STRICT;

-- One question a day in a channel, at a local time.
CREATE TABLE daily_questions (
    channel_id INTEGER PRIMARY KEY,
    guild_id   INTEGER NOT NULL,
    local_time TEXT NOT NULL,             -- '08:30'
    zone       TEXT NOT NULL,             -- 'Europe/Zurich'
    topic      TEXT NOT NULL,             -- '' if any
    next_at    REAL NOT NULL,
    set_by     INTEGER NOT NULL REFERENCES members (id)
) STRICT;

-- "I disagree": what a member thinks is wrong with a question, for staff.
CREATE TABLE objections (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    question  INTEGER NOT NULL REFERENCES questions (id),
    member    INTEGER NOT NULL REFERENCES members (id),
    reason    TEXT NOT NULL,
    raised_at REAL NOT NULL,
    UNIQUE (question, member)
) STRICT;
