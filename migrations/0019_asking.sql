-- What a course adds to /ask: its own notes, and the questions that nothing answered yet.
--
-- Notes belong to a server and go with it. Their words lie in a full-text index (FTS5) beside the passages, which finds
-- the few that have words of a question; whether one of them answers is for the engine to judge.

CREATE TABLE notes (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id INTEGER NOT NULL,
    file     TEXT NOT NULL,
    added_by INTEGER NOT NULL REFERENCES members (id),
    added_at REAL NOT NULL,               -- seconds since 1970, UTC
    UNIQUE (guild_id, file)
) STRICT;

CREATE TABLE note_passages (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    note    INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    heading TEXT NOT NULL,
    text    TEXT NOT NULL
) STRICT;

CREATE INDEX passages_of_note ON note_passages (note);

CREATE VIRTUAL TABLE note_words USING fts5 (
    heading, text, content = 'note_passages', content_rowid = 'id', tokenize = 'porter unicode61'
);

CREATE TRIGGER passage_is_indexed AFTER INSERT ON note_passages BEGIN
    INSERT INTO note_words (rowid, heading, text) VALUES (new.id, new.heading, new.text);
END;

CREATE TRIGGER passage_leaves_the_index AFTER DELETE ON note_passages BEGIN
    INSERT INTO note_words (note_words, rowid, heading, text) VALUES ('delete', old.id, old.heading, old.text);
END;

-- Kept only on servers whose staff switched it on, and only until it's settled.
CREATE TABLE unanswered (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id   INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    asked_by   INTEGER NOT NULL REFERENCES members (id),
    question   TEXT NOT NULL,
    asked_at   REAL NOT NULL
) STRICT;

CREATE INDEX unanswered_of_guild ON unanswered (guild_id);
CREATE INDEX unanswered_of_member ON unanswered (asked_by);

-- A question that staff gave a card.
CREATE TABLE aliases (
    guild_id INTEGER NOT NULL,
    question TEXT NOT NULL,
    card_id  TEXT NOT NULL,
    added_at REAL NOT NULL,
    PRIMARY KEY (guild_id, question)
) STRICT, WITHOUT ROWID;
