-- Blind polls: one clip is posted, members say whether a human or the model played it.
--
-- For every poll both a human clip and a model's clip over the same conditions exist before anything is posted, and
-- the draw between them is written down first and never changes. A poll is open while closed_at is NULL and its
-- deadline lies ahead; its outcome is committed (closed_at) before it is announced (announced_at).

CREATE TABLE polls (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id          INTEGER NOT NULL,
    channel_id        INTEGER NOT NULL,
    message_id        INTEGER,           -- NULL until the clip is posted
    started_by        INTEGER NOT NULL REFERENCES members (id),
    human_clip        INTEGER NOT NULL REFERENCES clips (id),
    ai_clip           INTEGER NOT NULL REFERENCES clips (id),
    answer            TEXT NOT NULL CHECK (answer IN ('human', 'ai')),  -- which of the two is posted
    draw_seed         INTEGER NOT NULL,  -- what the draw was made with
    drawn_at          REAL NOT NULL,     -- seconds since 1970, UTC
    closes_at         REAL NOT NULL CHECK (closes_at > drawn_at),
    closed_at         REAL,
    voided            INTEGER NOT NULL DEFAULT 0 CHECK (voided IN (0, 1)),  -- 1: never posted; counts nowhere
    announced_at      REAL,
    result_message_id INTEGER,
    CHECK (announced_at IS NULL OR closed_at IS NOT NULL),
    CHECK (voided = 0 OR closed_at IS NOT NULL)
) STRICT;

CREATE UNIQUE INDEX one_open_poll_per_channel ON polls (channel_id) WHERE closed_at IS NULL;
CREATE INDEX polls_by_guild ON polls (guild_id, drawn_at);

CREATE TRIGGER the_draw_is_final BEFORE UPDATE OF human_clip, ai_clip, answer, draw_seed, drawn_at ON polls
BEGIN
    SELECT RAISE(ABORT, 'the draw is final');
END;

CREATE TRIGGER a_closed_poll_stays_closed BEFORE UPDATE OF closed_at, closes_at, voided ON polls
WHEN OLD.closed_at IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'the poll is closed');
END;

CREATE TABLE votes (
    poll     INTEGER NOT NULL REFERENCES polls (id),
    member   INTEGER NOT NULL REFERENCES members (id),
    choice   TEXT CHECK (choice IN ('human', 'ai')),  -- NULL: has only said that the piece is known
    knows    INTEGER NOT NULL DEFAULT 0 CHECK (knows IN (0, 1)),  -- 1: knows the piece; left out of the statistics
    voted_at REAL NOT NULL,                           -- of the last change, seconds since 1970, UTC
    PRIMARY KEY (poll, member)
) STRICT, WITHOUT ROWID;

CREATE INDEX votes_of_member ON votes (member);

CREATE TRIGGER no_vote_after_the_close BEFORE INSERT ON votes
WHEN EXISTS (SELECT 1 FROM polls WHERE id = NEW.poll AND (closed_at IS NOT NULL OR NEW.voted_at >= closes_at))
BEGIN
    SELECT RAISE(ABORT, 'the poll is closed');
END;

CREATE TRIGGER no_change_after_the_close BEFORE UPDATE ON votes
WHEN EXISTS (SELECT 1 FROM polls WHERE id = NEW.poll AND (closed_at IS NOT NULL OR NEW.voted_at >= closes_at))
BEGIN
    SELECT RAISE(ABORT, 'the poll is closed');
END;

CREATE TRIGGER no_vote_is_lost_after_the_close BEFORE DELETE ON votes
WHEN EXISTS (SELECT 1 FROM polls WHERE id = OLD.poll AND closed_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'the poll is closed');
END;
