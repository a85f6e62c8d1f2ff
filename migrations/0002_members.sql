-- Who took part, once per person.
--
-- The games refer to a member by the number of this table, never by Discord id. Forgetting somebody is then one
-- UPDATE: the Discord id goes, the votes and answers stay as those of somebody unknown, and every total stays right.

CREATE TABLE members (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    discord_id    INTEGER UNIQUE,  -- NULL once the member has asked to be forgotten
    first_seen_at REAL NOT NULL    -- seconds since 1970, UTC
) STRICT;
