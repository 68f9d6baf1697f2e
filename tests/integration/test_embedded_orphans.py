"""Nothing is left running when we are killed."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import psutil
import pytest

from connectory.infra.embedded import embedded_kafka, embedded_postgres

DEADLINE_SECONDS = 60.0

PROGRAM = """
import asyncio, json, sys
from pathlib import Path
from connectory.infra.embedded import embedded_kafka, embedded_postgres, hold_data_dir

async def main(data_dir):
    with hold_data_dir(data_dir):
        async with embedded_postgres(data_dir) as postgres, embedded_kafka(data_dir) as kafka:
            print(json.dumps([postgres.process.pid, kafka.process.pid]), flush=True)
            await asyncio.Event().wait()

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
async def test_the_servers_end_when_we_are_killed_and_start_again(data_dir: Path) -> None:
    program = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, str(data_dir), stdout=PIPE)
    assert program.stdout is not None
    servers = [psutil.Process(pid) for pid in json.loads(await program.stdout.readline())]
    everything = servers + [child for server in servers for child in server.children(recursive=True)]

    program.kill()
    await program.wait()

    _, alive = await asyncio.to_thread(psutil.wait_procs, everything, DEADLINE_SECONDS)
    assert alive == []
    async with embedded_postgres(data_dir), embedded_kafka(data_dir):
        pass
