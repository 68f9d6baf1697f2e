"""Options that several commands have."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from connectory.infra.running_system import DEFAULT_DATA_DIR

DataDir: TypeAlias = Annotated[
    Path,
    typer.Option("--data-dir", help="The data directory of a system started with `connectory up`."),
]
Config: TypeAlias = Annotated[
    Path | None,
    typer.Option("--config", help="A settings file. Default: connectory.yml, if it is there."),
]
KibanaConfig: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--kibana-config", help="A kibana.yml to read xpack.actions.* from. Default: $CONNECTORY_KIBANA_CONFIG."
    ),
]

__all__ = ["DEFAULT_DATA_DIR", "Config", "DataDir", "KibanaConfig"]
