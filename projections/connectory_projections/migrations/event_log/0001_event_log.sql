-- Outcomes by UTC day. Partitions of single days are made as rows arrive and are dropped whole when they expire; the
-- default one takes the rows of executors whose clocks are far off.
CREATE TABLE event_log (
    at timestamptz NOT NULL,
    execution_id text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL,
    request_id text COLLATE "C" NOT NULL,
    space_id text COLLATE "C" NOT NULL,
    connector_id text COLLATE "C" NOT NULL,
    connector_name text,
    connector_type_id text COLLATE "C",
    connector_version bigint,
    outcome text COLLATE "C",
    reason text,
    final boolean NOT NULL,
    attempt integer NOT NULL,
    started_at timestamptz,
    duration_ms double precision,
    message text NOT NULL,
    error text,
    source text,
    requested_by text,
    possible_duplicate boolean NOT NULL,
    request_body_bytes bigint,
    trace_id text,
    request_topic text NOT NULL,
    request_partition integer NOT NULL,
    request_offset bigint NOT NULL,
    PRIMARY KEY (at, execution_id, action)
) PARTITION BY RANGE (at);

-- Each index is paid for by every outcome. Time comes last in those that are read newest first, so that they grow at
-- few places; what is seldom looked for and seldom happens is indexed by its exceptions only.
CREATE INDEX event_log_space ON event_log (space_id, at);
CREATE INDEX event_log_connector ON event_log (connector_id, at);
CREATE INDEX event_log_type ON event_log (space_id, connector_type_id, at);
CREATE INDEX event_log_request ON event_log (request_id);
CREATE INDEX event_log_execution ON event_log (execution_id);
CREATE INDEX event_log_not_succeeded ON event_log (space_id, outcome, at) WHERE outcome <> 'success';
CREATE INDEX event_log_not_a_run ON event_log (space_id, action, at) WHERE action NOT IN ('execute-start', 'execute');

CREATE TABLE event_log_default PARTITION OF event_log DEFAULT;
