-- Known of what is written from now on: earlier outcomes have neither.
ALTER TABLE event_log
    ADD COLUMN retry_at timestamptz,
    ADD COLUMN redrive_of text COLLATE "C";
