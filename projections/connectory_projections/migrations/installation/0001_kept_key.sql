-- Which encryption key seals secrets, by its fingerprint: a start with another one is noticed. One row at most.
CREATE TABLE kept_key (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    key_id text NOT NULL,
    since timestamptz NOT NULL DEFAULT now()
);
