-- A connector may have run ten thousand times and failed a hundred times: its failures are found without all its runs.
CREATE INDEX event_log_connector_not_succeeded ON event_log (connector_id, outcome, at) WHERE outcome <> 'success';
