-- Class quizzes: a run of questions that a class answers together, one after the other.
--
-- Where a quiz stands (question, phase, when the phase ends) lies here and nowhere else, so a bot that was killed goes
-- on where it stopped. Answers may be changed until their vote closes: one row a member and vote, by upsert.

CREATE TABLE class_quizzes (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id      INTEGER NOT NULL,
    channel_id    INTEGER NOT NULL,
    hosted_by     INTEGER NOT NULL REFERENCES members (id),
    topic         TEXT NOT NULL,          -- '' if any
    rounds        INTEGER NOT NULL CHECK (rounds BETWEEN 1 AND 20),
    seconds       INTEGER NOT NULL CHECK (seconds BETWEEN 10 AND 600),
    second_vote   INTEGER NOT NULL CHECK (second_vote IN (0, 1)),
    teams         INTEGER NOT NULL CHECK (teams IN (0, 1)),
    started_at    REAL NOT NULL,          -- seconds since 1970, UTC
    ended_at      REAL,                   -- NULL while it runs
    told_at       REAL,                   -- NULL until the final ranking is posted
    position      INTEGER NOT NULL CHECK (position >= 0 AND position < rounds),
    phase         TEXT NOT NULL CHECK (phase IN ('vote', 'discussion', 'second vote', 'revealed')),
    phase_ends_at REAL,                   -- NULL while it is paused
    paused_left_s REAL,                   -- what was left of the phase when it was paused
    CHECK ((phase_ends_at IS NULL) = (paused_left_s IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX one_class_quiz_a_channel ON class_quizzes (channel_id) WHERE ended_at IS NULL;

CREATE TABLE class_quiz_rounds (
    quiz       INTEGER NOT NULL REFERENCES class_quizzes (id),
    position   INTEGER NOT NULL,
    question   INTEGER NOT NULL REFERENCES questions (id),
    reasons    TEXT NOT NULL CHECK (json_type(reasons) = 'array'), -- the misconception behind each option; '' for none
    message_id INTEGER,                   -- NULL until it is posted
    skipped    INTEGER NOT NULL DEFAULT 0 CHECK (skipped IN (0, 1)),
    PRIMARY KEY (quiz, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE class_quiz_answers (
    quiz        INTEGER NOT NULL REFERENCES class_quizzes (id),
    position    INTEGER NOT NULL,
    vote        INTEGER NOT NULL CHECK (vote IN (1, 2)),
    member      INTEGER NOT NULL REFERENCES members (id),
    choice      INTEGER NOT NULL CHECK (choice >= 0),
    seconds     REAL NOT NULL CHECK (seconds >= 0), -- after the vote opened
    team        TEXT NOT NULL,            -- '' if none
    answered_at REAL NOT NULL,
    PRIMARY KEY (quiz, position, vote, member)
) STRICT, WITHOUT ROWID;

CREATE INDEX class_quiz_answers_of_member ON class_quiz_answers (member);

-- Which wrong option a member expects most of the others to fall for.
CREATE TABLE class_quiz_guesses (
    quiz       INTEGER NOT NULL REFERENCES class_quizzes (id),
    position   INTEGER NOT NULL,
    member     INTEGER NOT NULL REFERENCES members (id),
    choice     INTEGER NOT NULL CHECK (choice >= 0),
    guessed_at REAL NOT NULL,
    PRIMARY KEY (quiz, position, member)
) STRICT, WITHOUT ROWID;
