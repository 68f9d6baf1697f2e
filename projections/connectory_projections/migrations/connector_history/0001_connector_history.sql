-- One row a change, with what the change says and null for all else; a row never changes. Events of one connector lie
-- in one partition of the log, so the offset puts them in order; versions start anew after a deletion.
CREATE TABLE connector_history (
    connector_id text COLLATE "C" NOT NULL,
    log_offset bigint NOT NULL,
    space_id text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    at timestamptz NOT NULL,
    by text,
    command_id text NOT NULL,
    change text COLLATE "C" NOT NULL,
    name text,
    name_sort_key bytea,
    connector_type_id text,
    config json,
    is_missing_secrets boolean,
    origin_id text,
    restored_version bigint,
    enabled boolean,
    delivery_policy json,
    PRIMARY KEY (connector_id, log_offset)
);

CREATE INDEX connector_history_space ON connector_history (space_id, connector_id, log_offset);
