-- A page, and below it the conditions that it is put together from. `{value}` stands for a bound parameter.

-- name: page
SELECT *
FROM event_log
WHERE {conditions}
ORDER BY at DESC, execution_id DESC, action DESC
LIMIT {limit}

-- name: space_id
space_id = {value}

-- name: connector_id
connector_id = {value}

-- name: connector_type_id
connector_type_id = {value}

-- name: action
action = {value}

-- name: outcome
outcome = {value}

-- name: final
final = {value}

-- name: request_id
request_id = {value}

-- name: execution_id
execution_id = {value}

-- name: from_
at >= {value}

-- name: to
at < {value}

-- name: q
position(lower({value}::text) IN lower(message)) > 0

-- name: after
(at, execution_id, action) < ({value}, {value}, {value})
