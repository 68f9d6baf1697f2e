-- Lists, and below them the conditions that they are put together from. `{value}` stands for a bound parameter.

-- name: newest
SELECT record_topic, record_partition, record_offset, reason, message, at, request_id, space_id, connector_id,
    octet_length(value) AS value_bytes, status, settled_at, settled_by, redriven_as
FROM dead_letters
WHERE {conditions}
ORDER BY at DESC, record_topic DESC, record_partition DESC, record_offset DESC
LIMIT {limit}

-- name: oldest
SELECT *, octet_length(value) AS value_bytes
FROM dead_letters
WHERE {conditions}
ORDER BY at, record_topic, record_partition, record_offset
LIMIT {limit}

-- name: count
SELECT count(*) AS letters
FROM (SELECT 1 FROM dead_letters WHERE {conditions} LIMIT {limit}) AS counted

-- name: known
reason IS NOT NULL

-- name: space
space_id = {value}

-- name: space_or_none
(space_id = {value} OR space_id IS NULL)

-- name: connector_id
connector_id = {value}

-- name: reason
reason = {value}

-- name: status
status = {value}

-- name: from_
at >= {value}

-- name: to
at < {value}

-- name: repeatable
request_id IS NOT NULL AND value IS NOT NULL

-- name: before
(at, record_topic, record_partition, record_offset) < ({value}, {value}, {value}, {value})

-- name: after
(at, record_topic, record_partition, record_offset) > ({value}, {value}, {value}, {value})

-- name: at_places
(record_topic, record_partition, record_offset)
    IN (SELECT * FROM unnest({value}::text[], {value}::integer[], {value}::bigint[]))
