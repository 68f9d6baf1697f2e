-- Dead letters by the place of the record that was given up. What was done about one may be all that the log still
-- holds of it: then everything about the letter is null, and its time is when it was settled.
CREATE TABLE dead_letters (
    record_topic text COLLATE "C" NOT NULL,
    record_partition integer NOT NULL,
    record_offset bigint NOT NULL,
    reason text COLLATE "C",
    message text,
    at timestamptz NOT NULL,
    key bytea,
    value bytea,
    headers json,
    request_id text COLLATE "C",
    space_id text COLLATE "C",
    connector_id text COLLATE "C",
    status text COLLATE "C" NOT NULL,
    settled_at timestamptz,
    settled_by text,
    redriven_as text COLLATE "C",
    PRIMARY KEY (record_topic, record_partition, record_offset)
);

CREATE INDEX dead_letters_space ON dead_letters (space_id, status, at);
CREATE INDEX dead_letters_connector ON dead_letters (connector_id, at);
CREATE INDEX dead_letters_at ON dead_letters (at);
