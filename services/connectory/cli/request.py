"""`connectory request`: publish action requests to Kafka, and wait for their outcomes if asked to."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connectory.cli.options import DEFAULT_DATA_DIR, Config, DataDir
from connectory.domain.execution import Delivery

if TYPE_CHECKING:
    from connectory.client import NewActionRequest, OutcomeConsumer
    from connectory.infra.settings import Settings

SOME_FAILED = 2


def request(
    connector: Annotated[str | None, typer.Argument(help="The id of the connector to run.", show_default=False)] = None,
    params: Annotated[
        str | None, typer.Option(help="The params of the action, a JSON object.", show_default="{}")
    ] = None,
    file: Annotated[
        typer.FileText | None,
        typer.Option("--file", "-f", help="Requests as JSON, one a line, instead of one; - reads standard input."),
    ] = None,
    request_id: Annotated[str | None, typer.Option(help="An id of your own: the same again runs once.")] = None,
    space: Annotated[str | None, typer.Option(help="The space of the connector.", show_default="default")] = None,
    source: Annotated[str | None, typer.Option(help="What asks, for the event log.")] = None,
    delivery: Annotated[
        Delivery | None, typer.Option(help="What a crash may do to a request.", show_default=Delivery.AT_LEAST_ONCE)
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the outcomes; exit code 2 when one failed.")] = False,
    timeout: Annotated[float, typer.Option(min=0.0, help="Longest wait for the outcomes, in seconds.")] = 60.0,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    config: Config = None,
) -> None:
    """Publish one action request, or a file of them, to Kafka. Prints their ids, or with --wait their outcomes."""
    from connectory.client import read_requests
    from connectory.infra.settings import load_settings

    if (connector is None) == (file is None):
        raise typer.BadParameter("give either the id of a connector or --file")
    fields = {"request_id": request_id, "space_id": space, "source": source, "delivery": delivery}
    given = {name: value for name, value in fields.items() if value is not None}
    if file and (given or params is not None):
        raise typer.BadParameter("with --file each line says its own params, space_id, request_id, source and delivery")
    requests = list(read_requests(file)) if file else [_single(connector, "{}" if params is None else params, given)]
    settings = load_settings(config_file=config)
    if not asyncio.run(_publish(settings, data_dir, requests, timeout if wait else None)):
        raise typer.Exit(SOME_FAILED)


def _single(connector: str | None, params: str, fields: Mapping[str, object]) -> "NewActionRequest":
    from connectory.client import check_request

    try:
        parsed = json.loads(params)
    except ValueError as error:
        raise typer.BadParameter(f"--params is not JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise typer.BadParameter("--params is not a JSON object")
    return check_request({"connector_id": connector, "params": parsed, **fields})


async def _publish(
    settings: "Settings", data_dir: Path, requests: "Sequence[NewActionRequest]", wait: float | None
) -> bool:
    """Return whether all that was waited for succeeded; `wait` is in seconds, None for not at all."""
    from connectory.client import ActionRequestPublisher, OutcomeConsumer, open_log
    from connectory.infra.messages import Messages
    from connectory.infra.schema_registry import open_schemas

    async with open_log(settings.kafka, data_dir=data_dir) as log, open_schemas(settings.schema_registry) as schemas:
        messages = Messages(schemas)
        async with ActionRequestPublisher.over(log, messages=messages) as publisher:
            if wait is None:
                _print_ids(await publisher.publish_many(requests))
                return True
            async with OutcomeConsumer.over(log, messages=messages) as outcomes:
                return await _print_answers(outcomes, await publisher.publish_many(requests), wait)


def _print_ids(request_ids: Iterable[str]) -> None:
    for request_id in request_ids:
        typer.echo(request_id)


async def _print_answers(outcomes: "OutcomeConsumer", published: Sequence[str], seconds: float) -> bool:
    from connectory.cli.outcomes import print_outcome
    from connectory.domain.errors import Unavailable

    answered = 0
    succeeded = True
    try:
        async with asyncio.timeout(seconds):
            async for outcome in outcomes.answers(published):
                answered += 1
                # Of a request that was submitted before the first one's outcome tells; here there is none.
                succeeded = succeeded and outcome.outcome in ("success", None)
                print_outcome(outcome)
    except TimeoutError:
        missing = len(set(published)) - answered
        raise Unavailable(f"requests without an outcome after {seconds:g} seconds: {missing}") from None
    return succeeded
