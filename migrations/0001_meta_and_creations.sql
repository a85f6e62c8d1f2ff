-- What the bot itself has to remember.
--
-- meta: facts about this database (the secret behind member keys, which commands were last sent to Discord).
-- creations: a picture or clip that a member made, with the request that made it, so that the buttons under it go
-- on working after a restart. Buttons carry the creation's number and nothing else.
-- blobs: the files such a request refers to, stored once however many creations share them. A picture that was
-- posted with a command hangs on no message, so Discord cannot be asked for it again.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE blobs (
    digest     TEXT PRIMARY KEY,  -- SHA-256, hexadecimal
    content    BLOB NOT NULL,
    created_at REAL NOT NULL      -- seconds since 1970, UTC
) STRICT;

CREATE TABLE creations (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT NOT NULL CHECK (kind IN ('picture', 'clip')),
    member_id  INTEGER NOT NULL,  -- Discord id of who asked for it
    guild_id   INTEGER,           -- NULL in a direct message
    channel_id INTEGER NOT NULL,
    message_id INTEGER,           -- NULL until the answer is posted
    request    BLOB NOT NULL,     -- StylizeRequest or PlayRequest without files, job and member key, protobuf
    result     BLOB NOT NULL,     -- StylizeResult or Clip without files, protobuf
    created_at REAL NOT NULL
) STRICT;

CREATE INDEX creations_of_member ON creations (member_id);
CREATE INDEX creations_by_age ON creations (created_at);

CREATE TABLE creation_blobs (
    creation_id INTEGER NOT NULL REFERENCES creations (id) ON DELETE CASCADE,
    role        TEXT NOT NULL CHECK (role IN ('image', 'style_image', 'midi', 'lead_sheet')),
    digest      TEXT NOT NULL REFERENCES blobs (digest),
    PRIMARY KEY (creation_id, role)
) STRICT, WITHOUT ROWID;

CREATE INDEX creation_blobs_by_digest ON creation_blobs (digest);
