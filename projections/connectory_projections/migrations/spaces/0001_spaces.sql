-- Spaces, as clients set them; `deletion_id` is set while what is in the space is being deleted. `disabled_features` is
-- json, not an array: its texts come back as they were sent, whatever they hold.
CREATE TABLE spaces (
    space_id text COLLATE "C" PRIMARY KEY,
    name text COLLATE "C",
    description text,
    initials text,
    color text,
    image_url text,
    solution text,
    disabled_features json,
    version bigint NOT NULL,
    deletion_id text COLLATE "C"
);
