"""`connectory up`: everything in one process, with a Kafka broker and a Postgres server of its own."""

from pathlib import Path
from typing import Annotated

import typer

from connectory.cli.options import DEFAULT_DATA_DIR, Config, KibanaConfig, is_debugging
from connectory.domain.errors import ConnectoryError


def up(
    ctx: typer.Context,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the HTTP API. Default: 5601.")] = None,
    kafka_port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port of the embedded Kafka. Default: a free one, then the same."),
    ] = None,
    data_dir: Annotated[Path, typer.Option(help="Where everything is kept.")] = DEFAULT_DATA_DIR,
    memory: Annotated[
        bool, typer.Option("--memory", help="Keep the log in memory instead of Kafka: nothing survives the process.")
    ] = False,
    config: Config = None,
    kibana_config: KibanaConfig = None,
) -> None:
    """Run Connectory on this machine: all roles, and what KAFKA_BOOTSTRAP_SERVERS and DATABASE_URL do not name.

    Ctrl-C ends it in good order. The data stays, and the next start goes on from there.
    """
    from connectory.cli.lifecycle import run_until_signal
    from connectory.infra.logging import configure_logging
    from connectory.infra.settings import load_settings

    try:
        from connectory.cli.standalone import Standalone
    except ModuleNotFoundError as error:
        raise ConnectoryError(f"{error.name} is missing: `up` needs Connectory with its extra `embedded`") from None
    # Before the settings, about which there may be something to say.
    configure_logging("debug" if is_debugging(ctx) else "info")
    overrides = {} if port is None else {"connectory.http.port": port}
    settings = load_settings(overrides, config_file=config, kibana_config=kibana_config)
    standalone = Standalone(settings=settings, data_dir=data_dir, kafka_port=kafka_port, in_memory=memory)
    run_until_signal(standalone.run())
