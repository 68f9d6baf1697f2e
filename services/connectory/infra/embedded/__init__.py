"""Real servers as child processes: a Kafka broker and a PostgreSQL, installed, started, watched and ended by us.

`hold_data_dir` first, for as long as anything works in the data directory; then `embedded_kafka` and
`embedded_postgres`. Each leaves nothing running behind, also when we are killed: the kernel tells the servers, and
the next start ends what is left by recorded pid and start time.
"""

from connectory.infra.embedded.data_dir import hold_data_dir
from connectory.infra.embedded.errors import CannotProvision, DataDirHeld
from connectory.infra.embedded.kafka import EmbeddedKafka, embedded_kafka
from connectory.infra.embedded.postgres import EmbeddedPostgres, embedded_postgres
from connectory.infra.embedded.processes import ServerProcess
from connectory.infra.embedded.progress import Progress, Silent

__all__ = [
    "CannotProvision",
    "DataDirHeld",
    "EmbeddedKafka",
    "EmbeddedPostgres",
    "Progress",
    "ServerProcess",
    "Silent",
    "embedded_kafka",
    "embedded_postgres",
    "hold_data_dir",
]
