"""`connectory serve ROLE`: one role, against given servers."""

from pathlib import Path
from typing import Annotated

import typer

from connectory.cli.options import DEFAULT_DATA_DIR, Config, KibanaConfig, is_debugging
from connectory.roles import Role


def serve(
    ctx: typer.Context,
    role: Annotated[Role, typer.Argument(help="The role to run.")],
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the gateway. Default: 5601.")] = None,
    data_dir: Annotated[
        Path, typer.Option(help="Where the gateway keeps its users, unless connectory.security.file is set.")
    ] = DEFAULT_DATA_DIR,
    config: Config = None,
    kibana_config: KibanaConfig = None,
) -> None:
    """Run one role, as many copies as wanted, against the Kafka and Postgres named by the settings."""
    from connectory.cli.lifecycle import run_until_signal
    from connectory.cli.serving import serve_role
    from connectory.infra.logging import configure_logging
    from connectory.infra.settings import load_settings

    # Before the settings, about which there may be something to say.
    configure_logging("debug" if is_debugging(ctx) else "info")
    overrides = {} if port is None else {"connectory.http.port": port}
    settings = load_settings(overrides, config_file=config, kibana_config=kibana_config)
    run_until_signal(serve_role(role, settings, data_dir))
