-- What uses connectors, by the key of the record that says so: a record without a value has nothing but its key.
CREATE TABLE connector_references (
    record_key text COLLATE "C" PRIMARY KEY,
    connector_id text COLLATE "C" NOT NULL,
    space_id text COLLATE "C" NOT NULL,
    type text NOT NULL,
    id text NOT NULL,
    at timestamptz NOT NULL,
    by text
);

CREATE INDEX connector_references_connector ON connector_references (space_id, connector_id, at);
