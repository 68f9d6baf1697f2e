-- name: fill
-- The attempts $1 to $2, a start and an end each: the first at $3, one every $4.
INSERT INTO event_log (
    at, execution_id, action, request_id, space_id, connector_id, connector_name, connector_type_id,
    connector_version, outcome, reason, final, attempt, started_at, duration_ms, message, error, source,
    possible_duplicate, request_body_bytes, request_topic, request_partition, request_offset
)
SELECT
    at + part * interval '5 milliseconds',
    md5('execution' || number)::uuid::text,
    CASE WHEN part = 0 THEN 'execute-start' ELSE action END,
    md5('request' || number)::uuid::text,
    space_id,
    connector_id,
    'orders ' || connector_id,
    type_id,
    1,
    CASE WHEN part = 1 THEN outcome END,
    CASE WHEN part = 1 AND outcome = 'failure' THEN 'target-failed' END,
    part = 1,
    1,
    at,
    CASE WHEN part = 1 THEN 5.0 END,
    CASE WHEN part = 0 THEN 'action started: ' ELSE 'action executed: ' END || type_id || ':' || connector_id,
    CASE WHEN part = 1 AND outcome = 'failure' THEN '[503] Service Unavailable' END,
    'http_request',
    false,
    1000,
    'action-requests',
    0,
    number
FROM (
    SELECT
        number,
        $3::timestamptz + number * $4::interval AS at,
        CASE WHEN number % 10 = 0 THEN 'small' ELSE 'default' END AS space_id,
        'connector-' || abs(hashint8(number)) % 1000 AS connector_id,
        CASE abs(hashint8(number)) % 4
            WHEN 0 THEN '.webhook' WHEN 1 THEN '.slack' WHEN 2 THEN '.email' ELSE '.pagerduty'
        END AS type_id,
        CASE WHEN number % 50 = 7 THEN 'failure' ELSE 'success' END AS outcome,
        CASE WHEN number % 5000 = 57 THEN 'execute-timeout' ELSE 'execute' END AS action
    FROM generate_series($1::bigint, $2::bigint) AS number
) AS attempt, generate_series(0, 1) AS part;
