"""The names of the roles."""

from enum import StrEnum


class Role(StrEnum):
    """Each runs in one process with the others, or in as many processes of its own as wanted."""

    GATEWAY = "gateway"
    AGGREGATE = "aggregate"
    EXECUTOR = "executor"
    PROJECTOR = "projector"
