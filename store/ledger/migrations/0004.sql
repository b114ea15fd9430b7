-- How well models did at tasks, by the verdicts of judges: sums of scores from 0 to 1.
CREATE TABLE verdicts (
  model  TEXT    NOT NULL, -- provider/model
  task   TEXT    NOT NULL,
  calls  INTEGER NOT NULL,
  score  REAL    NOT NULL, -- the sum
  PRIMARY KEY (model, task)
) STRICT, WITHOUT ROWID;
