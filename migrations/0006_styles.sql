-- A server's own styles, beside those of the style book.
--
-- A style is a code of the network that made it, and means nothing to any other weights. So the small picture stays
-- beside it: when the model changes, the code is made anew from the picture, the first time that somebody uses it.
-- Removing a style deletes the row, picture and all; pictures already painted in it keep its name and nothing else.

CREATE TABLE styles (
    guild_id      INTEGER NOT NULL,
    name          TEXT NOT NULL CHECK (length(name) BETWEEN 2 AND 32 AND name NOT GLOB '*[^a-z0-9-]*'),
    code          BLOB NOT NULL,  -- safetensors, as the engine gave it
    model_version TEXT NOT NULL,  -- of the weights that the code belongs to
    picture       BLOB NOT NULL,  -- JPEG, at most 512 px
    added_by      INTEGER NOT NULL REFERENCES members (id),
    added_at      REAL NOT NULL,  -- seconds since 1970, UTC
    UNIQUE (guild_id, name)
) STRICT;
