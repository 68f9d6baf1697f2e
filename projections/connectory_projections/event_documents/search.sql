-- Searches in the documents, which are the rows that `visible` lets through. `where` and `order` are put together from
-- conditions with bound parameters; `limit` and `offset` are parameters.

-- name: search
SELECT at, execution_id, action, space_id, connector_id, connector_name, connector_type_id, outcome, started_at, message,
    error, source, requested_by, request_body_bytes, scheduled_at, in_memory, details{sorted_by}
FROM event_log
WHERE {visible} AND {where}
ORDER BY {order}
LIMIT {limit} OFFSET {offset}

-- name: count
SELECT count(*) AS found FROM (SELECT FROM event_log WHERE {visible} AND {where} LIMIT {limit}) AS limited

-- name: outcomes
SELECT outcome, count(*) AS runs
FROM (
    SELECT outcome FROM event_log
    WHERE action = 'execute' AND {visible} AND {where}
    ORDER BY COALESCE(started_at, at) DESC
    LIMIT {limit}
) AS newest
GROUP BY outcome
