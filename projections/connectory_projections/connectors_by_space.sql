-- name: get
SELECT *
FROM connectors_by_space
WHERE space_id = $1 AND connector_id = $2 AND name IS NOT NULL;

-- name: list
SELECT *
FROM connectors_by_space
WHERE space_id = $1 AND name IS NOT NULL
ORDER BY name_sort_key, created_at, connector_id
LIMIT $2;

-- name: with_ids
SELECT *
FROM connectors_by_space
WHERE connector_id = ANY ($1::text[]) AND name IS NOT NULL;

-- name: with_origins
SELECT *
FROM connectors_by_space
WHERE space_id = $1 AND origin_id = ANY ($2::text[]) AND name IS NOT NULL
ORDER BY created_at, connector_id;

-- name: by_id
SELECT *
FROM connectors_by_space
WHERE space_id = $1 AND connector_id > $2 AND name IS NOT NULL
ORDER BY connector_id
LIMIT $3;
