-- How far each projection has applied each partition of its topic. A batch of rows and its new offset are one
-- transaction, so an event is applied once whatever is killed when.
CREATE TABLE projection_offsets (
    projection text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (projection, topic, partition)
) WITH (fillfactor = 50);
