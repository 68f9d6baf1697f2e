-- An imported connector remembers the id that it could not keep, so that a second import finds it again.
ALTER TABLE connectors_by_space ADD COLUMN origin_id text COLLATE "C";

CREATE INDEX connectors_by_space_origin ON connectors_by_space (space_id, origin_id) WHERE origin_id IS NOT NULL;
