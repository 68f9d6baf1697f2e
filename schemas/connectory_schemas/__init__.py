"""The Avro schemas of every record on the log, their fixed ids, and the codec between bytes and plain values.

One file in `avro/` for each version of a record, named `<Record>.v<version>.avsc`; `registry.json` gives each its id
and the fingerprint it was released with. A released file is never edited, only succeeded by the next version, and
every version can read every other (`python -m connectory_schemas.release` adds a version and checks both).

Conventions of the records: times are `timestamp-micros` in UTC; free-form JSON (config, params, data) is carried as
JSON text; words out of a set are strings, because Avro enums would let an older reader take an unknown word for the
default one; whatever may be missing has a default.

Nothing here knows the domain: `connectory.infra.messages` turns plain values into its dataclasses.
"""
