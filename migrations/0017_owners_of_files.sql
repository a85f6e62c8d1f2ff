-- Whose files they are that lie behind buttons, and phrases among them.
--
-- What Ben paints from Ada's picture refers to her file. Once she asks to be forgotten, it has to go from his answers,
-- too: so every reference names the owner. Until now nobody noted that; whoever had a file kept first is its owner.
-- The phrase that a soloist answers was part of the request, once for every clip made from it; it's a file now.

CREATE TABLE files_with_owners (
    creation_id INTEGER NOT NULL REFERENCES creations (id) ON DELETE CASCADE,
    role        TEXT NOT NULL CHECK (role IN ('image', 'style_image', 'midi', 'lead_sheet', 'phrase')),
    digest      TEXT NOT NULL REFERENCES blobs (digest),
    owner       INTEGER NOT NULL,  -- Discord id of whoever posted it, or, for what the engine made, asked for it
    PRIMARY KEY (creation_id, role)
) STRICT, WITHOUT ROWID;

INSERT INTO files_with_owners (creation_id, role, digest, owner)
SELECT creation_id, role, digest,
       (SELECT member_id FROM creations JOIN creation_blobs AS earlier ON earlier.creation_id = creations.id
        WHERE earlier.digest = creation_blobs.digest ORDER BY creations.id LIMIT 1)
FROM creation_blobs;

DROP TABLE creation_blobs;
ALTER TABLE files_with_owners RENAME TO creation_blobs;
CREATE INDEX creation_blobs_by_digest ON creation_blobs (digest);
CREATE INDEX creation_blobs_by_owner ON creation_blobs (owner);
