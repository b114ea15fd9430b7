-- What a call was said to cost before it was priced anew, at the user's word. The last row of an attempt is the figure
-- before the one that attempts and rollup have now.
CREATE TABLE repriced (
  id        INTEGER PRIMARY KEY,
  attempt   INTEGER NOT NULL,
  at        INTEGER NOT NULL, -- when, in microseconds since 1970 UTC
  price     INTEGER,          -- this and what follows is as it was
  cost      INTEGER,
  cost_kind TEXT    NOT NULL,
  computed  INTEGER,
  saved     INTEGER
) STRICT;
CREATE INDEX repriced_attempt ON repriced (attempt);
