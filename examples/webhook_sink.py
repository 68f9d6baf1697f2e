"""A tiny web server that plays the target of a webhook: it accepts every POST and counts.

    python examples/webhook_sink.py --port 8099

`GET /` answers how many calls and how many different bodies came in, as JSON.
"""

from collections import Counter
from typing import Annotated

import typer
from aiohttp import web

RECEIVED: web.AppKey[Counter[str]] = web.AppKey("received", Counter)


async def receive(request: web.Request) -> web.Response:
    request.app[RECEIVED][await request.text()] += 1
    return web.Response(status=204)


async def count(request: web.Request) -> web.Response:
    received = request.app[RECEIVED]
    return web.json_response({"received": received.total(), "distinct": len(received)})


def sink() -> web.Application:
    app = web.Application()
    app[RECEIVED] = Counter()
    app.router.add_get("/", count)
    app.router.add_post("/{path:.*}", receive)
    return app


def main(
    port: Annotated[int, typer.Option(help="The port to listen on, on this machine only.")] = 8099,
) -> None:
    """Accept every POST on 127.0.0.1 and count."""
    try:
        web.run_app(sink(), host="127.0.0.1", port=port)
    except OSError as error:
        typer.secho(
            f"Error: cannot listen on port {port}, choose another with --port: {error.strerror}", fg="red", err=True
        )
        raise typer.Exit(1) from None


if __name__ == "__main__":
    typer.run(main)
