-- name: get
SELECT *
FROM spaces
WHERE space_id = $1 AND name IS NOT NULL AND deletion_id IS NULL;

-- name: list
SELECT *
FROM spaces
WHERE name IS NOT NULL AND deletion_id IS NULL
ORDER BY name, space_id;

-- name: ids
SELECT space_id
FROM spaces
WHERE name IS NOT NULL AND deletion_id IS NULL;

-- name: deletion
SELECT deletion_id
FROM spaces
WHERE space_id = $1 AND deletion_id IS NOT NULL;
