"""Makes a file of sample requests, one JSON object a line, to be published.

python examples/make_requests.py quickstart --count 1000 > requests.jsonl
"""

import json
from typing import Annotated

import typer


def line(connector_id: str, number: int) -> str:
    body = json.dumps({"order": number, "text": f"order {number} has shipped"})
    return json.dumps({"connector_id": connector_id, "params": {"body": body}, "source": "example"})


def main(
    connector_id: Annotated[str, typer.Argument(help="The connector that the requests run through.")],
    count: Annotated[int, typer.Option(min=1, help="How many requests to make.")] = 1000,
) -> None:
    """Print sample requests for a webhook connector, one JSON object a line."""
    for number in range(1, count + 1):
        typer.echo(line(connector_id, number))


if __name__ == "__main__":
    typer.run(main)
