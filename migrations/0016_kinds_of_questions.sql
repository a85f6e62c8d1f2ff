-- Questions of every kind: several right options, a typed answer, lines to put in order, a picture.
--
-- What was answered is kept as it was given, and whether it was right is judged once, when it is given:
-- one, bug   the option's place, '2'
-- several    the places in order, '0,3'
-- order      the lines' places in the order chosen, '2,0,1'
-- typed      what was typed
-- A question keeps every answer that counts as right, written likewise. Members of a made-up class are marked.

CREATE TABLE questions_of_every_kind (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id    INTEGER NOT NULL,
    channel_id  INTEGER NOT NULL,
    message_id  INTEGER,           -- NULL until it is posted
    private     INTEGER NOT NULL DEFAULT 0 CHECK (private IN (0, 1)),  -- 1: one member practises with it
    asked_by    INTEGER NOT NULL REFERENCES members (id),
    asked_at    REAL NOT NULL,     -- seconds since 1970, UTC
    generator   TEXT NOT NULL,     -- with the seed it makes the same question again
    seed        INTEGER NOT NULL,
    topic       TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('one', 'several', 'typed', 'order', 'bug')),
    question    TEXT NOT NULL,
    code        TEXT NOT NULL,     -- '' if none
    options     TEXT NOT NULL CHECK (json_type(options) = 'array'
                                     AND (kind = 'typed' OR json_array_length(options) >= 2)),
    accepted    TEXT NOT NULL CHECK (json_type(accepted) = 'array' AND json_array_length(accepted) >= 1
                                      AND (kind NOT IN ('one', 'bug') OR (
                                          json_extract(accepted, '$[0]') GLOB '[0-9]*'
                                          AND CAST(json_extract(accepted, '$[0]') AS INTEGER)
                                              < json_array_length(options)))),
    reasons     TEXT NOT NULL CHECK (json_type(reasons) = 'array'), -- the misconception behind each option, '' for none
    slips       TEXT NOT NULL CHECK (json_type(slips) = 'array'),   -- typed: pairs of a wrong answer and its reason
    explanation TEXT NOT NULL,
    card_id     TEXT NOT NULL,     -- concept card to read; '' if none
    is_fixed    INTEGER NOT NULL CHECK (is_fixed IN (0, 1)),  -- 1: it comes back with the same numbers
    picture     BLOB,              -- PNG; NULL if none, and once it is posted
    alt         TEXT NOT NULL      -- what the picture shows; '' if none
) STRICT;

INSERT INTO questions_of_every_kind (id, guild_id, channel_id, message_id, private, asked_by, asked_at, generator, seed,
    topic, kind, question, code, options, accepted, reasons, slips, explanation, card_id, is_fixed, alt)
SELECT id, guild_id, channel_id, message_id,
    message_id IS NULL AND id NOT IN (SELECT question FROM class_quiz_rounds),
    asked_by, asked_at, generator, seed, topic, 'one', question, code, options, json_array(CAST(correct AS TEXT)),
    coalesce((SELECT reasons FROM class_quiz_rounds WHERE question = questions.id), '[]'),
    '[]', explanation, card_id, generator GLOB 'own:*', ''
FROM questions;

CREATE TABLE answers_of_every_kind (
    question    INTEGER NOT NULL REFERENCES questions (id),
    member      INTEGER NOT NULL REFERENCES members (id),
    given       TEXT NOT NULL,
    is_right    INTEGER NOT NULL CHECK (is_right IN (0, 1)),
    simulated   INTEGER NOT NULL DEFAULT 0 CHECK (simulated IN (0, 1)),  -- 1: of a made-up class; counts nowhere
    answered_at REAL NOT NULL,
    PRIMARY KEY (question, member)
) STRICT, WITHOUT ROWID;

INSERT INTO answers_of_every_kind (question, member, given, is_right, answered_at)
SELECT answers.question, member, CAST(choice AS TEXT), choice = correct, answered_at
FROM answers JOIN questions ON questions.id = answers.question;

DROP TABLE answers;
DROP TABLE questions;
ALTER TABLE questions_of_every_kind RENAME TO questions;
ALTER TABLE answers_of_every_kind RENAME TO answers;

CREATE INDEX questions_by_guild ON questions (guild_id, asked_at);
CREATE INDEX answers_of_member ON answers (member, answered_at);

CREATE TRIGGER answers_name_an_option BEFORE INSERT ON answers
WHEN EXISTS (SELECT 1 FROM questions WHERE id = NEW.question AND kind IN ('one', 'bug')
             AND NOT (NEW.given GLOB '[0-9]*' AND CAST(NEW.given AS INTEGER) < json_array_length(options)))
BEGIN
    SELECT RAISE(ABORT, 'no such option');
END;

-- What was typed may be taken away from somebody who asks to be forgotten; nothing else changes.
CREATE TRIGGER the_first_answer_counts BEFORE UPDATE ON answers
WHEN NOT (NEW.given = '' AND (NEW.question, NEW.member, NEW.is_right) = (OLD.question, OLD.member, OLD.is_right))
BEGIN
    SELECT RAISE(ABORT, 'the first answer counts');
END;

-- In class: the same, until the vote closes.
CREATE TABLE class_quiz_answers_of_every_kind (
    quiz        INTEGER NOT NULL REFERENCES class_quizzes (id),
    position    INTEGER NOT NULL,
    vote        INTEGER NOT NULL CHECK (vote IN (1, 2)),
    member      INTEGER NOT NULL REFERENCES members (id),
    given       TEXT NOT NULL,
    is_right    INTEGER NOT NULL CHECK (is_right IN (0, 1)),
    seconds     REAL NOT NULL CHECK (seconds >= 0), -- after the vote opened
    team        TEXT NOT NULL,            -- '' if none
    simulated   INTEGER NOT NULL DEFAULT 0 CHECK (simulated IN (0, 1)),
    answered_at REAL NOT NULL,
    PRIMARY KEY (quiz, position, vote, member)
) STRICT, WITHOUT ROWID;

INSERT INTO class_quiz_answers_of_every_kind (quiz, position, vote, member, given, is_right, seconds, team, answered_at)
SELECT quiz, position, vote, member, CAST(choice AS TEXT), CAST(choice AS TEXT) = json_extract(accepted, '$[0]'),
    seconds, team, answered_at
FROM class_quiz_answers JOIN class_quiz_rounds USING (quiz, position)
    JOIN questions ON questions.id = class_quiz_rounds.question;

DROP TABLE class_quiz_answers;
ALTER TABLE class_quiz_answers_of_every_kind RENAME TO class_quiz_answers;
CREATE INDEX class_quiz_answers_of_member ON class_quiz_answers (member);

ALTER TABLE class_quiz_rounds DROP COLUMN reasons;
