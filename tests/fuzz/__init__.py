"""Requests made at random from the OpenAPI document, and what no answer to them may be: `python -m tests.fuzz`."""
