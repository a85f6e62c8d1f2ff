-- Whether the picture that something was made from was hidden as a spoiler.
--
-- What is painted from a hidden picture is hidden, too, and so is whatever its buttons make of it.

ALTER TABLE creations ADD COLUMN spoiler INTEGER NOT NULL DEFAULT 0 CHECK (spoiler IN (0, 1));
