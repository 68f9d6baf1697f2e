"""The aggregate role: validates every change and writes it down in one Kafka transaction.

`aggregate` says what an aggregate is, `partition` is the loop that decides commands, `states` is the memory of a
partition.
"""

from connectory.aggregate.aggregate import Aggregate, connector_aggregate, space_aggregate
from connectory.aggregate.partition import run_aggregate

__all__ = ["Aggregate", "connector_aggregate", "run_aggregate", "space_aggregate"]
