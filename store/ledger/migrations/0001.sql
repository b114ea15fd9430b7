-- Who called what: what the spend is grouped by. Id 0 is never given: in rollup it stands for everyone.
CREATE TABLE groups (
  id       INTEGER PRIMARY KEY,
  tool     TEXT NOT NULL,
  provider TEXT NOT NULL,
  model    TEXT NOT NULL,
  key      TEXT NOT NULL,
  UNIQUE (tool, provider, model, key)
) STRICT;

-- Each price that was ever used, once, as JSON.
CREATE TABLE prices (
  id    INTEGER PRIMARY KEY,
  price TEXT NOT NULL UNIQUE
) STRICT;

-- Attempts that have begun and not ended. What is here when a writer opens the file was cut by a crash.
-- Times are microseconds since 1970 UTC, money is pico-USD.
CREATE TABLE running (
  id             INTEGER PRIMARY KEY,
  request        TEXT    NOT NULL,
  started        INTEGER NOT NULL,
  grp            INTEGER NOT NULL,
  inbound        TEXT    NOT NULL,
  asked          TEXT    NOT NULL,
  route          TEXT    NOT NULL,
  attempt        INTEGER NOT NULL,
  streamed       INTEGER NOT NULL,
  lost           TEXT    NOT NULL,
  price          INTEGER,
  cost           INTEGER,
  estimate_input INTEGER NOT NULL,
  estimate       INTEGER
) STRICT;

-- Attempts that have ended. Rows are added and never changed.
CREATE TABLE attempts (
  id               INTEGER PRIMARY KEY,
  request          TEXT    NOT NULL,
  started          INTEGER NOT NULL,
  grp              INTEGER NOT NULL,
  inbound          TEXT    NOT NULL,
  asked            TEXT    NOT NULL,
  route            TEXT    NOT NULL,
  attempt          INTEGER NOT NULL,
  streamed         INTEGER NOT NULL,
  lost             TEXT    NOT NULL, -- a JSON list, or nothing
  price            INTEGER,
  status           TEXT    NOT NULL,
  http_status      INTEGER NOT NULL,
  error            TEXT    NOT NULL,
  first_byte       INTEGER,          -- microseconds after started
  duration         INTEGER NOT NULL, -- microseconds
  cost             INTEGER,
  cost_kind        TEXT    NOT NULL,
  stated           INTEGER,
  computed         INTEGER,
  input            INTEGER NOT NULL,
  cache_read       INTEGER NOT NULL,
  cache_write_5m   INTEGER NOT NULL,
  cache_write_1h   INTEGER NOT NULL,
  output           INTEGER NOT NULL,
  reasoning        INTEGER NOT NULL,
  audio_input      INTEGER NOT NULL,
  audio_cache_read INTEGER NOT NULL,
  audio_output     INTEGER NOT NULL,
  image_input      INTEGER NOT NULL,
  image_cache_read INTEGER NOT NULL,
  image_output     INTEGER NOT NULL,
  searches         INTEGER NOT NULL
) STRICT;
CREATE INDEX attempts_started ON attempts (started);

-- Sums of attempts, written in the same transaction as the attempts. start and finish count quarter hours since 1970 UTC.
--   kind 0: one quarter hour of one group.
--   kind 1: one span of one group. A span is the writer's local day; spans never overlap, and every quarter hour of
--           kind 0 lies in exactly one of them.
--   kind 2: one span of all groups together (grp 0).
-- The cost is cost_usd whole dollars plus cost_pico pico-USD, so that no sum can leave 64 bits.
CREATE TABLE rollup (
  kind             INTEGER NOT NULL,
  start            INTEGER NOT NULL,
  grp              INTEGER NOT NULL,
  finish           INTEGER NOT NULL,
  calls            INTEGER NOT NULL,
  errors           INTEGER NOT NULL,
  unpriced         INTEGER NOT NULL,
  estimated        INTEGER NOT NULL,
  at_least         INTEGER NOT NULL,
  cost_usd         INTEGER NOT NULL,
  cost_pico        INTEGER NOT NULL,
  input            INTEGER NOT NULL,
  cache_read       INTEGER NOT NULL,
  cache_write_5m   INTEGER NOT NULL,
  cache_write_1h   INTEGER NOT NULL,
  output           INTEGER NOT NULL,
  reasoning        INTEGER NOT NULL,
  audio_input      INTEGER NOT NULL,
  audio_cache_read INTEGER NOT NULL,
  audio_output     INTEGER NOT NULL,
  image_input      INTEGER NOT NULL,
  image_cache_read INTEGER NOT NULL,
  image_output     INTEGER NOT NULL,
  searches         INTEGER NOT NULL,
  PRIMARY KEY (kind, start, grp)
) STRICT, WITHOUT ROWID;

-- clean: 1 after an orderly close, 0 while a writer has the file open.
-- checked: when the last whole check found nothing wrong, in seconds since 1970.
CREATE TABLE state (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO state (name, value) VALUES ('clean', 1), ('checked', 0);
