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
