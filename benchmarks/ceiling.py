"""The ceiling of the executor: the bare HTTP client sending the same requests to the same target from one process.

Run as `python -m benchmarks.ceiling URL COUNT CONCURRENCY LOOP`, it prints requests per second. LOOP is `asyncio`, the
client as it comes, or `uvloop`, which the executor runs on too.
"""

import asyncio
import sys
import time
from uuid import uuid4

import aiohttp
import uvloop

BODY = b"x" * 1000
TARGETS = 20
CONTENT_TYPE = "text/plain"
AUTHORIZATION = aiohttp.encode_basic_auth("benchmark", "benchmark-password")


async def post_all(url: str, count: int, concurrency: int) -> float:
    """Return requests per second."""
    numbers = iter(range(count))

    async def post_some(session: aiohttp.ClientSession) -> None:
        for number in numbers:
            headers = {
                "Content-Type": CONTENT_TYPE,
                "Authorization": AUTHORIZATION,
                "Idempotency-Key": str(uuid4()),
            }
            target = f"{url}/connector-{number % TARGETS}"
            async with session.post(target, data=BODY, headers=headers) as response:
                await response.read()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        begun = time.perf_counter()
        await asyncio.gather(*(post_some(session) for _ in range(concurrency)))
        return count / (time.perf_counter() - begun)


if __name__ == "__main__":
    run = uvloop.run if sys.argv[4] == "uvloop" else asyncio.run
    rate = run(post_all(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
    print(rate)  # noqa: T201
