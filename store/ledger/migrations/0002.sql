-- What chose the target of an attempt and in which part it was asked, and what that saved.
-- role: '' answered or failed to, lost (another was faster), part (of a blend, judge or compare), judge, kept (from the
-- cache). reason: one line for people. saved: pico-USD that the usual way would have cost more.
ALTER TABLE running  ADD COLUMN role   TEXT NOT NULL DEFAULT '';
ALTER TABLE running  ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN role   TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN saved  INTEGER;

-- Spend is also grouped by route and role. Rows from before keep a group without a route.
CREATE TABLE wider (
  id       INTEGER PRIMARY KEY,
  tool     TEXT NOT NULL,
  provider TEXT NOT NULL,
  model    TEXT NOT NULL,
  key      TEXT NOT NULL,
  route    TEXT NOT NULL,
  role     TEXT NOT NULL,
  UNIQUE (tool, provider, model, key, route, role)
) STRICT;
INSERT INTO wider SELECT id, tool, provider, model, key, '', '' FROM groups;
DROP TABLE groups;
ALTER TABLE wider RENAME TO groups;

ALTER TABLE rollup ADD COLUMN saved INTEGER NOT NULL DEFAULT 0;
