"""The routes, one file for each kind of thing: they check the schema, ask for the privilege, and call a use case."""
