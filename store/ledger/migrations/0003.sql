-- What providers keep for the user under an id of theirs: files, batches, uploads. A later call that names only the id
-- goes to who has it.
CREATE TABLE kept (
  id       TEXT PRIMARY KEY,
  provider TEXT    NOT NULL,
  key      TEXT    NOT NULL,
  kind     TEXT    NOT NULL,
  seen     INTEGER NOT NULL -- microseconds since 1970 UTC
) STRICT, WITHOUT ROWID;

-- Results of batches whose cost is in attempts: they may be fetched again.
CREATE TABLE settled (
  provider TEXT    NOT NULL,
  id       TEXT    NOT NULL,
  at       INTEGER NOT NULL, -- microseconds since 1970 UTC
  PRIMARY KEY (provider, id)
) STRICT, WITHOUT ROWID;
