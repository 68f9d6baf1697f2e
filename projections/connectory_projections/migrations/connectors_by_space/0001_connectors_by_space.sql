-- `config` is json, not jsonb: numbers and explicit nulls come back as they were sent. `name_sort_key` has no index:
-- a key may be longer than an index entry may be, and a space's list is read whole.
CREATE TABLE connectors_by_space (
    connector_id text COLLATE "C" PRIMARY KEY,
    space_id text COLLATE "C" NOT NULL,
    name text NOT NULL,
    name_sort_key bytea NOT NULL,
    connector_type_id text NOT NULL,
    config json NOT NULL,
    version bigint NOT NULL,
    is_missing_secrets boolean NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text,
    updated_at timestamptz NOT NULL,
    updated_by text
);

CREATE INDEX connectors_by_space_space ON connectors_by_space (space_id);
