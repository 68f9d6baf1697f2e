"""`.server-log`: writes a message to the server's own log."""

import re
from typing import Annotated, Literal

from connectory.connector_types.contract import ConnectorType, Run, TypeExample
from connectory.connector_types.schemas import Nothing, Schema, about
from connectory.domain.execution import Failed, Result, Succeeded

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Params(Schema):
    message: Annotated[str, about("Message", "Written without its control characters", widget="multiline")]
    level: Annotated[Literal["trace", "debug", "info", "warn", "error", "fatal"], about("Level")] = "info"


async def execute(run: Run[Nothing, Nothing, Params]) -> Result:
    message = _CONTROL_CHARACTERS.sub("", run.params.message)
    try:
        run.server_log.write(run.params.level, f"Server log: {message}")
    except Exception as error:  # whatever a logging handler may raise, it is the target that failed
        return Failed(message="error logging message", service_message=str(error))
    return Succeeded()


SERVER_LOG = ConnectorType(
    id=".server-log",
    name="Server log",
    minimum_license="basic",
    feature_ids=("alerting", "uptime", "siem", "workflows"),
    config=Nothing,
    secrets=Nothing,
    params=Params,
    execute=execute,
    example=TypeExample(
        params={"message": "Disk almost full", "level": "warn"},
    ),
)
