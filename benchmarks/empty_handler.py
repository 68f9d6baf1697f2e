"""The ceiling of queries: an aiohttp handler that does nothing.

Run as `python -m benchmarks.empty_handler LOOP`, it prints its port. LOOP is `asyncio`, the server as it comes, or
`uvloop`, which the gateway runs on too.
"""

import asyncio
import sys

import uvloop
from aiohttp import web


async def nothing(_: web.Request) -> web.Response:
    return web.Response(body=b"{}", content_type="application/json")


async def serve() -> None:
    app = web.Application()
    app.router.add_get("/", nothing)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)  # noqa: T201
    await asyncio.Event().wait()


if __name__ == "__main__":
    run = uvloop.run if sys.argv[1] == "uvloop" else asyncio.run
    run(serve())
