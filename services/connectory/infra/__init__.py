"""Adapters to the world outside: the log, the database, keys, settings, outgoing calls, embedded servers.

The only package that names aiokafka, asyncpg and cryptography.
"""
