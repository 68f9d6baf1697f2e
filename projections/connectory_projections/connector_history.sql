-- Changes and connectors as they were, and below them the conditions that both are put together from.

-- name: newest
SELECT change.*,
    before.name AS name_before,
    before.connector_type_id AS connector_type_id_before,
    before.config AS config_before,
    before.is_missing_secrets AS is_missing_secrets_before,
    policy.delivery_policy AS delivery_policy_before
FROM connector_history AS change
CROSS JOIN LATERAL (
    SELECT coalesce(max(first.log_offset), 0) AS begins
    FROM connector_history AS first
    WHERE first.connector_id = change.connector_id AND first.log_offset <= change.log_offset AND first.version = 1
) AS life
LEFT JOIN LATERAL (
    SELECT earlier.name, earlier.connector_type_id, earlier.config, earlier.is_missing_secrets
    FROM connector_history AS earlier
    WHERE earlier.connector_id = change.connector_id AND earlier.name IS NOT NULL
        AND earlier.log_offset >= life.begins AND earlier.log_offset < change.log_offset
    ORDER BY earlier.log_offset DESC
    LIMIT 1
) AS before ON change.name IS NOT NULL
LEFT JOIN LATERAL (
    SELECT earlier.delivery_policy
    FROM connector_history AS earlier
    WHERE earlier.connector_id = change.connector_id AND earlier.delivery_policy IS NOT NULL
        AND earlier.log_offset >= life.begins AND earlier.log_offset < change.log_offset
    ORDER BY earlier.log_offset DESC
    LIMIT 1
) AS policy ON change.delivery_policy IS NOT NULL
WHERE {conditions}
ORDER BY change.log_offset DESC
LIMIT {limit}

-- name: as_they_were
SELECT connector_id, space_id,
    (array_agg(name ORDER BY log_offset DESC) FILTER (WHERE name IS NOT NULL))[1] AS name,
    (array_agg(name_sort_key ORDER BY log_offset DESC) FILTER (WHERE name IS NOT NULL))[1] AS name_sort_key,
    (array_agg(connector_type_id ORDER BY log_offset DESC) FILTER (WHERE name IS NOT NULL))[1] AS connector_type_id,
    (array_agg(config ORDER BY log_offset DESC) FILTER (WHERE name IS NOT NULL))[1] AS config,
    (array_agg(is_missing_secrets ORDER BY log_offset DESC) FILTER (WHERE name IS NOT NULL))[1] AS is_missing_secrets,
    (array_agg(origin_id ORDER BY log_offset DESC) FILTER (WHERE change.change = 'imported'))[1] AS origin_id,
    (array_agg(enabled ORDER BY log_offset DESC) FILTER (WHERE enabled IS NOT NULL))[1] AS enabled,
    (array_agg(delivery_policy ORDER BY log_offset DESC) FILTER (WHERE delivery_policy IS NOT NULL))[1]
        AS delivery_policy,
    (array_agg(version ORDER BY log_offset DESC))[1] AS version,
    (array_agg(at ORDER BY log_offset))[1] AS created_at,
    (array_agg(by ORDER BY log_offset))[1] AS created_by,
    (array_agg(at ORDER BY log_offset DESC))[1] AS updated_at,
    (array_agg(by ORDER BY log_offset DESC))[1] AS updated_by
FROM (
    SELECT *, max(log_offset) FILTER (WHERE change.change = 'deleted') OVER (PARTITION BY connector_id) AS deletion
    FROM connector_history AS change
    WHERE {conditions}
) AS change
WHERE deletion IS NULL OR log_offset > deletion
GROUP BY connector_id, space_id
HAVING bool_or(name IS NOT NULL)
ORDER BY name_sort_key, created_at, connector_id
LIMIT {limit}

-- name: at_version
SELECT details.name, details.connector_type_id, details.config
FROM (
    SELECT log_offset
    FROM connector_history
    WHERE space_id = $1 AND connector_id = $2 AND version = $3 AND change <> 'deleted'
    ORDER BY log_offset DESC
    LIMIT 1
) AS wanted
JOIN connector_history AS details ON details.connector_id = $2 AND details.log_offset <= wanted.log_offset
WHERE details.name IS NOT NULL
ORDER BY details.log_offset DESC
LIMIT 1;

-- name: space
change.space_id = {value}

-- name: connector
change.connector_id = {value}

-- name: until
change.at <= {value}

-- name: before
change.log_offset < {value}
