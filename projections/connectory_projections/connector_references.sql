-- name: newest
SELECT *
FROM connector_references
WHERE {conditions}
ORDER BY at DESC, record_key DESC
LIMIT {limit}

-- name: counts
SELECT connector_id, count(*) AS number
FROM connector_references
WHERE space_id = $1
GROUP BY connector_id;

-- name: space
space_id = {value}

-- name: connector
connector_id = {value}

-- name: before
(at, record_key) < ({value}, {value})
