"""For tests of what is built on Connectory: given/when/then for deciders, a clock set by hand, the log in memory.

`given(ConnectorCreated(...)).when(DeleteConnector(...)).then(ConnectorDeleted(...))` is a whole test of a decider, and
so is `given().when(DeleteConnector(...)).refused_with("connector-not-found")`.

`connectory.testing.history` checks what a run against real servers has left behind; it is imported by itself.
"""

from connectory.infra.in_memory_log import InMemoryLog
from connectory.testing.clock import ManualClock
from connectory.testing.deciders import AnyConfig, given
from connectory.testing.virtual_time import run_in_virtual_time

__all__ = ["AnyConfig", "InMemoryLog", "ManualClock", "given", "run_in_virtual_time"]
