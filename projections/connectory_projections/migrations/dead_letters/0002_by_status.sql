-- Letters of all spaces: the few that are open lie among many that were settled.
CREATE INDEX dead_letters_status ON dead_letters (status, at);
