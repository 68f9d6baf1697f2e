"""Connectors as saved objects: they leave an installation as lines of JSON without secrets, and come into another.

`objects` and `ndjson` are the form, `export_lines` and `exporting` the way out. `planning` and `resolving` say where
imported objects go, without I/O; `import_results` and `import_warnings` word the answer; `importing` carries out what
was planned, and `copying` is export and import in one, from space to space.
"""
