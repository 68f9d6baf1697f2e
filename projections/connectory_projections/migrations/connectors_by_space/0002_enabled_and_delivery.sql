-- Of a connector whose creation could not be read, a change may be all that is known: then it has no name, and is not
-- shown until an update gives it one.
ALTER TABLE connectors_by_space
    ALTER COLUMN name DROP NOT NULL,
    ALTER COLUMN name_sort_key DROP NOT NULL,
    ALTER COLUMN connector_type_id DROP NOT NULL,
    ALTER COLUMN config DROP NOT NULL,
    ADD COLUMN enabled boolean NOT NULL DEFAULT true,
    ADD COLUMN max_attempts integer,
    ADD COLUMN max_in_flight integer,
    ADD COLUMN requests_per_second double precision,
    ADD COLUMN burst integer;
