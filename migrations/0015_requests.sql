-- The command that a series or a vote came from, by its interaction's id. A bot that is killed before it has answered a
-- command does it again on its next start; then it finds what it has written down already and writes no second one.

ALTER TABLE series ADD COLUMN request INTEGER;

CREATE UNIQUE INDEX one_series_per_request ON series (request) WHERE request IS NOT NULL;
