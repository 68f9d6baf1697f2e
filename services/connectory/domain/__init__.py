"""The rules, pure: commands, events, deciders and executions.

Only the standard library is imported here. Time, ids and randomness come in as values; nothing reads a clock, a
socket or a file.
"""
