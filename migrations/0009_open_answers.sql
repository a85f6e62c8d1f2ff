-- Answers that were begun and aren't finished.
--
-- A bot that is stopped or killed leaves "thinking ..." and progress behind that nobody would ever end. The next start
-- finds them here: what never began is done as if it had been asked just now, everything else ends with one sentence.
-- A row goes as soon as its answer has arrived.

CREATE TABLE open_answers (
    interaction_id INTEGER PRIMARY KEY,
    member_id      INTEGER NOT NULL,  -- Discord id
    payload        TEXT NOT NULL,     -- the interaction as Discord sent it (JSON), its token included; that lives 15 min
    message_id     INTEGER,           -- of the answer; NULL until it's known
    private        INTEGER NOT NULL CHECK (private IN (0, 1)),
    stage          TEXT NOT NULL CHECK (stage IN ('waiting', 'started', 'delivering')),
    opened_at      REAL NOT NULL      -- seconds since 1970, UTC
) STRICT;

CREATE INDEX open_answers_of_member ON open_answers (member_id);
