-- How the bot did, every five minutes: what /status draws of the last day, also after a restart. Two days are kept,
-- at most 576 rows; they hold counts and seconds, and nothing of any member.

CREATE TABLE pulses (
    at          INTEGER PRIMARY KEY,          -- when the five minutes began, s since 1970, UTC
    answered    INTEGER NOT NULL,             -- commands that ended with their answer
    refused     INTEGER NOT NULL,             -- and those that ended with a rule's sentence
    failed      INTEGER NOT NULL,             -- for the engine's sake, Discord's, or a defect
    middle_s    REAL,                         -- median from a command to its finished answer; NULL: there was none
    slowest_s   REAL,
    queue       INTEGER NOT NULL,             -- the most jobs in the engine at a time
    lag_s       REAL NOT NULL,                -- the event loop's longest lag
    engine_up   REAL NOT NULL                 -- share of the looks at which the engine answered, 0..1
) STRICT;
