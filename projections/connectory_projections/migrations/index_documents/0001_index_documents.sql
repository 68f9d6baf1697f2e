-- Documents by UTC day, which expire as outcomes do. `document` is json, not jsonb: it comes back as it was given, and
-- jsonb has no U+0000. The default partition takes those of executors whose clocks are far off.
CREATE TABLE index_documents (
    at timestamptz NOT NULL,
    document_id text COLLATE "C" NOT NULL,
    index_name text COLLATE "C" NOT NULL,
    connector_id text COLLATE "C" NOT NULL,
    document json NOT NULL,
    PRIMARY KEY (at, document_id)
) PARTITION BY RANGE (at);

CREATE INDEX index_documents_index ON index_documents (index_name, at);

CREATE TABLE index_documents_default PARTITION OF index_documents DEFAULT;
