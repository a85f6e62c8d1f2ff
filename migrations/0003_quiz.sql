-- Quiz questions as they were posted, and what members answered.
--
-- The right answer is kept here and nowhere else: the buttons carry the question's number and the option's place.
-- A member's first answer counts; the primary key and the trigger see to it.

CREATE TABLE questions (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id    INTEGER NOT NULL,
    channel_id  INTEGER NOT NULL,
    message_id  INTEGER,           -- NULL until it is posted
    asked_by    INTEGER NOT NULL REFERENCES members (id),
    asked_at    REAL NOT NULL,     -- seconds since 1970, UTC
    generator   TEXT NOT NULL,     -- with the seed it makes the same question again
    seed        INTEGER NOT NULL,
    topic       TEXT NOT NULL,
    question    TEXT NOT NULL,
    code        TEXT NOT NULL,     -- '' if none
    options     TEXT NOT NULL CHECK (json_type(options) = 'array' AND json_array_length(options) >= 2),
    correct     INTEGER NOT NULL CHECK (correct >= 0 AND correct < json_array_length(options)),
    explanation TEXT NOT NULL,
    card_id     TEXT NOT NULL      -- concept card to read; '' if none
) STRICT;

CREATE INDEX questions_by_guild ON questions (guild_id, asked_at);

CREATE TABLE answers (
    question    INTEGER NOT NULL REFERENCES questions (id),
    member      INTEGER NOT NULL REFERENCES members (id),
    choice      INTEGER NOT NULL,  -- place in questions.options
    answered_at REAL NOT NULL,
    PRIMARY KEY (question, member)
) STRICT, WITHOUT ROWID;

CREATE INDEX answers_of_member ON answers (member, answered_at);

CREATE TRIGGER answers_name_an_option BEFORE INSERT ON answers
WHEN NEW.choice < 0 OR NEW.choice >= (SELECT json_array_length(options) FROM questions WHERE id = NEW.question)
BEGIN
    SELECT RAISE(ABORT, 'no such option');
END;

CREATE TRIGGER the_first_answer_counts BEFORE UPDATE ON answers
BEGIN
    SELECT RAISE(ABORT, 'the first answer counts');
END;

-- Who has chosen to be shown on a server's leaderboard. Nobody is shown without a row here.
CREATE TABLE leaderboard (
    guild_id  INTEGER NOT NULL,
    member    INTEGER NOT NULL REFERENCES members (id),
    joined_at REAL NOT NULL,
    PRIMARY KEY (guild_id, member)
) STRICT, WITHOUT ROWID;
