-- What is billed by other measures than tokens: pictures made, characters of text spoken, milliseconds of sound heard.
ALTER TABLE attempts ADD COLUMN images     INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN characters INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN audio_ms   INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup   ADD COLUMN images     INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup   ADD COLUMN characters INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup   ADD COLUMN audio_ms   INTEGER NOT NULL DEFAULT 0;
