-- What the documents that clients of Kibana read hold beyond the rest: seldom there, but for the time.
ALTER TABLE event_log
    ADD COLUMN scheduled_at timestamptz,
    ADD COLUMN in_memory boolean NOT NULL DEFAULT false,
    ADD COLUMN details jsonb;
-- Failures of all spaces, what a rule asked for, and runs that every space sees: each index holds the exceptions only.
CREATE INDEX event_log_failures ON event_log (at) WHERE outcome <> 'success';
CREATE INDEX event_log_related ON event_log USING gin ((details -> 'related') jsonb_path_ops) WHERE details IS NOT NULL;
CREATE INDEX event_log_in_memory ON event_log (at) WHERE in_memory;
