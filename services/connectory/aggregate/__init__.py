"""The aggregate role: validates every change and writes it down in one Kafka transaction.

`aggregate` says what an aggregate is, `partition` is the loop that decides commands, `states` is the memory of a
partition, and `run` is the role: one loop for each aggregate.
"""

from connectory.aggregate.aggregate import Aggregate, connector_aggregate, space_aggregate
from connectory.aggregate.partition import run_aggregate
from connectory.aggregate.run import run_aggregates

__all__ = ["Aggregate", "connector_aggregate", "run_aggregate", "run_aggregates", "space_aggregate"]
